import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { formatNumber } from "../ui/format.ts";
import { toast } from "../ui/toast.tsx";
import { DeleteDialog } from "./delete_dialog.tsx";
import { readDuration, writeDuration } from "./duration.ts";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";
import { isSystemTopic, type TopicInfo, topicPath } from "./topic_info.ts";

/** What {@link SettingsTab} takes. */
export interface SettingsTabProps {
  readonly api: Api;
  readonly topic: string;
  /** Undefined where the topic is not there. */
  readonly info: TopicInfo | undefined;
  /** Looks at the topic anew. */
  readonly onChange: () => void;
}

/** How long a topic keeps its messages, and its end. */
export function SettingsTab({ api, topic, info, onChange }: SettingsTabProps) {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <div class="stack tp-settings">
      {!isSystemTopic(topic) && (
        <RetentionForm api={api} topic={topic} info={info} onChange={onChange} />
      )}
      {info !== undefined && (
        <section class="card padded stack close" aria-labelledby="tp-delete">
          <h2 id="tp-delete">Delete the topic</h2>
          <p class="small muted">
            Its messages are gone for good. Groups stay, with nothing to do.
          </p>
          <div>
            <Button kind="danger" onClick={() => setDeleting(true)}>Delete the topic</Button>
          </div>
        </section>
      )}
      {isSystemTopic(topic) && info === undefined && (
        <div class="card empty">There is nothing to set</div>
      )}
      {isDeleting && (
        <DeleteDialog
          api={api}
          topic={topic}
          messages={info?.messages ?? 0}
          onDone={() => {
            setDeleting(false);
            toast(`${topic} is deleted`);
            onChange();
          }}
          onClose={() => setDeleting(false)}
        />
      )}
    </div>
  );
}

type Setting = "maxMessages" | "maxAgeMs";
type Change = Partial<Record<Setting, number | null>>;

function RetentionForm({ api, topic, info, onChange }: SettingsTabProps) {
  const [texts, setTexts] = useState(() => textsOf(info));
  const [errors, setErrors] = useState<Partial<Record<Setting, string>>>({});
  const [fault, setFault] = useState<StreamFault>();
  const known = JSON.stringify(info?.ownRetention ?? {});
  useEffect(() => setTexts(textsOf(info)), [known]);

  const save = async (change: Change) => {
    setErrors({});
    setFault(undefined);
    try {
      await api.call("PUT", topicPath(topic), { json: change });
      toast("The retention is set");
      onChange();
    } catch (error) {
      const found = faultOf(error);
      const atFields = found.errors.flatMap(({ pointer, detail }) =>
        pointer === "#/maxMessages" || pointer === "#/maxAgeMs" ? [[pointer.slice(2), detail]] : []
      );
      setErrors(Object.fromEntries(atFields));
      if (atFields.length === 0) setFault(found);
    }
  };

  const submit = (event: Event) => {
    event.preventDefault();
    const maxMessages = texts.maxMessages.trim() === "" ? null : numberOf(texts.maxMessages);
    const maxAgeMs = texts.maxAgeMs.trim() === "" ? null : readDuration(texts.maxAgeMs);
    if (maxMessages === undefined) return setErrors({ maxMessages: "A whole number, from 1" });
    if (maxAgeMs === undefined) {
      return setErrors({ maxAgeMs: "A number with s, m, h or d, such as 7d" });
    }
    void save({ maxMessages, maxAgeMs });
  };

  const field = (name: Setting, label: string, hint: string) => {
    const isOwn = info?.ownRetention[name] !== undefined;
    return (
      <div>
        <Field
          label={
            <>
              {label}{" "}
              <Badge tone={isOwn ? "accent" : "neutral"}>{isOwn ? "its own" : "default"}</Badge>
            </>
          }
          hint={hint}
          error={errors[name]}
        >
          {(control) => (
            <input
              {...control}
              autocomplete="off"
              placeholder={placeholderOf(name, info)}
              value={texts[name]}
              onInput={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
            />
          )}
        </Field>
        {isOwn && (
          <Button kind="quiet" size="small" onClick={() => void save({ [name]: null })}>
            Reset {label.toLowerCase()} to the default
          </Button>
        )}
      </div>
    );
  };

  return (
    <section class="card padded" aria-labelledby="tp-retention">
      <form class="stack" onSubmit={submit}>
        <h2 id="tp-retention">Retention</h2>
        <p class="small muted">
          Whatever is older or more goes, but never what a group has not done yet. What is left
          empty is as the server has it by default.
        </p>
        <div class="tp-pair">
          {field("maxMessages", "Most messages", "The oldest go when there are more")}
          {field("maxAgeMs", "Longest age", "Such as 90s, 12h or 7d")}
        </div>
        {fault !== undefined && (
          <Refusal
            fault={fault}
            what="to set the retention"
            right="manage"
          />
        )}
        <div>
          <Button kind="primary" type="submit">Save the retention</Button>
        </div>
      </form>
    </section>
  );
}

function textsOf(info: TopicInfo | undefined): Record<Setting, string> {
  const { maxMessages, maxAgeMs } = info?.ownRetention ?? {};
  return {
    maxMessages: maxMessages === undefined ? "" : `${maxMessages}`,
    maxAgeMs: maxAgeMs === undefined ? "" : writeDuration(maxAgeMs),
  };
}

function placeholderOf(name: Setting, info: TopicInfo | undefined): string {
  if (info === undefined) return "the server's default";
  const { maxMessages, maxAgeMs } = info.retention;
  if (name === "maxMessages") return formatNumber(maxMessages);
  return maxAgeMs === null ? "no limit" : writeDuration(maxAgeMs);
}

function numberOf(text: string): number | undefined {
  const digits = text.replace(/[\s,_]/g, "");
  return /^[1-9]\d*$/.test(digits) ? Number(digits) : undefined;
}
