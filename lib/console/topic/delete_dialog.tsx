import { useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { formatNumber } from "../ui/format.ts";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { topicPath } from "./topic_info.ts";

/** Deletes a topic, when its name was typed. */
export function DeleteDialog({ api, topic, messages, onDone, onClose }: {
  readonly api: Api;
  readonly topic: string;
  /** How many messages it has. */
  readonly messages: number;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<StreamFault>();
  const remove = async (event: Event) => {
    event.preventDefault();
    if (typed !== topic) return;
    setFault(undefined);
    try {
      await api.call("DELETE", topicPath(topic));
      onDone();
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  return (
    <Dialog title="Delete the topic?" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void remove(event)}>
        <p>
          <code>{topic}</code> and its {formatNumber(messages)} messages are gone for good.
        </p>
        <Field label="Type the topic's name to confirm">
          {(control) => (
            <input
              {...control}
              autocomplete="off"
              spellcheck={false}
              autofocus
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
        {fault !== undefined && <Refusal fault={fault} what="to delete topics" right="manage" />}
        <div class="tp-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" type="submit" disabled={typed !== topic}>Delete</Button>
        </div>
      </form>
    </Dialog>
  );
}
