import { useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { toast } from "../ui/toast.tsx";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { type GroupInfo, topicPath } from "./topic_info.ts";

/** Asks how often a group's messages are delivered at the most, and sets it. */
export function DeliveriesDialog({ api, group, onDone, onClose }: {
  readonly api: Api;
  readonly group: GroupInfo;
  readonly onDone: () => void;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState(`${group.maxDeliveries}`);
  const [error, setError] = useState<string>();
  const [fault, setFault] = useState<StreamFault>();

  const save = async (maxDeliveries: number | null) => {
    setError(undefined);
    setFault(undefined);
    try {
      const path = topicPath(group.topic, "groups", group.group);
      const set = await api.call<{ maxDeliveries: number }>("PUT", path, {
        json: { maxDeliveries },
      });
      toast(`${group.group}: at most ${set.maxDeliveries} deliveries`);
      onDone();
    } catch (error) {
      const found = faultOf(error);
      const atField = found.errors.find(({ pointer }) => pointer === "#/maxDeliveries");
      if (atField === undefined) setFault(found);
      else setError(atField.detail);
    }
  };

  const submit = (event: Event) => {
    event.preventDefault();
    const number = Number(text);
    if (text.trim() === "" || !Number.isInteger(number)) setError("A whole number, from 1");
    else void save(number);
  };

  return (
    <Dialog title={`Deliveries of ${group.group}`} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Field
          label="Most deliveries of a message"
          hint="After that it becomes a dead letter"
          error={error}
        >
          {(control) => (
            <input
              {...control}
              inputMode="numeric"
              value={text}
              autofocus
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        {fault !== undefined && <Refusal fault={fault} what="to manage groups" right="manage" />}
        <div class="tp-actions">
          <Button kind="quiet" onClick={() => void save(null)}>Back to the default</Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">Save</Button>
        </div>
      </form>
    </Dialog>
  );
}
