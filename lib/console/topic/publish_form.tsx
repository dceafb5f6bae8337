import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { type Api, ApiError } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { formatDateTime } from "../ui/format.ts";
import { Notice } from "../ui/notice.tsx";
import { HeaderFields } from "./header_fields.tsx";
import { bodyOf, type DraftErrors, errorsByField, type PublishDraft } from "./publish_draft.ts";
import { Refusal } from "./refusal.tsx";
import { faultOf, type StreamFault } from "./tail_words.ts";

/** What {@link PublishForm} takes. */
export interface PublishFormProps {
  readonly api: Api;
  readonly topic: string;
  readonly draft: PublishDraft;
  readonly onDraft: (draft: PublishDraft) => void;
  /** Called after a message was stored. */
  readonly onPublished: () => void;
  /** Where the payload is written. */
  readonly area: RefObject<HTMLTextAreaElement | null>;
}

/** What the server says of a published message. */
interface Published {
  readonly id: string | null;
  readonly duplicate: boolean;
  readonly scheduled?: { readonly token: string; readonly at: string };
}

/** Publishes to a topic. */
export function PublishForm(props: PublishFormProps) {
  const { api, topic, draft, onDraft, onPublished, area } = props;
  const [errors, setErrors] = useState<DraftErrors>({});
  const [fault, setFault] = useState<StreamFault>();
  const [result, setResult] = useState<Published>();
  const [isBusy, setBusy] = useState(false);

  const set = (change: Partial<PublishDraft>) => {
    onDraft({ ...draft, ...change });
    const changed = new Set(Object.keys(change));
    setErrors((known) =>
      Object.fromEntries(
        Object.entries(known).filter(([name]) => !changed.has(name.split("/")[0] ?? "")),
      )
    );
  };

  const publish = async () => {
    if (isBusy) return;
    setResult(undefined);
    setFault(undefined);
    const made = bodyOf(draft, topic);
    setErrors(made.errors ?? {});
    if (made.errors !== undefined) return;
    setBusy(true);
    try {
      setResult(JSON.parse(await api.text("POST", "publish", { body: made.body })));
      onPublished();
    } catch (error) {
      const found = faultOf(error);
      const byField = errorsByField(found.errors);
      setErrors(byField);
      const isAtField = Object.keys(byField).some((name) => name !== "form");
      if (!isAtField || !(error instanceof ApiError)) setFault(found);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="tp-publish"
      aria-label={`Publish to ${topic}`}
      onSubmit={(event) => {
        event.preventDefault();
        void publish();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        void publish();
      }}
    >
      <Field
        label="Payload"
        error={errors["payload"]}
      >
        {(control) => (
          <textarea
            {...control}
            ref={area}
            rows={6}
            spellcheck={false}
            placeholder={draft.kind === "json" ? '{ "hello": "world" }' : "Hello"}
            value={draft.payload}
            onInput={(event) => set({ payload: event.currentTarget.value })}
          />
        )}
      </Field>
      <div class="row spread">
        <div class="tp-choice" role="group" aria-label="What the payload is">
          {(["json", "text"] as const).map((kind) => (
            <Button
              key={kind}
              size="small"
              aria-pressed={draft.kind === kind}
              onClick={() => {
                set({ kind });
                setErrors(({ payload: _, ...rest }) => rest);
              }}
            >
              {kind === "json" ? "JSON" : "Text"}
            </Button>
          ))}
        </div>
        <span class="small muted tp-hint">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
      <div class="tp-pair">
        <TextField label="Type" name="type" draft={draft} errors={errors} set={set} />
        <TextField label="Key" name="key" draft={draft} errors={errors} set={set} />
      </div>
      <HeaderFields
        headers={draft.headers}
        errors={errors}
        onHeaders={(headers) => set({ headers })}
      />
      <details class="tp-more" open={hasOptions(draft) || hasOptionErrors(errors) || undefined}>
        <summary>Expiry, delay, idempotency</summary>
        <div class="stack close">
          <div class="tp-pair">
            <TextField
              label="Expires after"
              name="ttl"
              hint="such as 10m"
              draft={draft}
              errors={errors}
              set={set}
            />
            <TextField
              label="Delayed by"
              name="delay"
              hint="such as 30s"
              draft={draft}
              errors={errors}
              set={set}
            />
          </div>
          <TextField
            label="Idempotency key"
            name="idempotencyKey"
            hint="The same key again stores nothing"
            draft={draft}
            errors={errors}
            set={set}
          />
        </div>
      </details>
      {errors["form"] !== undefined && <p class="tp-wrong" role="alert">{errors["form"]}</p>}
      <Button kind="primary" type="submit" disabled={isBusy}>
        {isBusy ? "Publishing…" : "Publish"}
      </Button>
      {fault !== undefined && (
        <Refusal fault={fault} what="to publish to this topic" right="publish" topic={topic} />
      )}
      {result !== undefined && <Result result={result} />}
    </form>
  );
}

function Result({ result: { id, duplicate, scheduled } }: { readonly result: Published }) {
  if (scheduled !== undefined) {
    return (
      <Notice tone="ok">
        Comes at {formatDateTime(Date.parse(scheduled.at))}
      </Notice>
    );
  }
  return (
    <Notice tone={duplicate ? "warn" : "ok"}>
      {duplicate ? "Was stored before, as" : "Stored as"} <code>{id}</code>
    </Notice>
  );
}

type TextName = "type" | "key" | "ttl" | "delay" | "idempotencyKey";

function TextField({ label, name, hint, draft, errors, set }: {
  readonly label: string;
  readonly name: TextName;
  readonly hint?: string;
  readonly draft: PublishDraft;
  readonly errors: DraftErrors;
  readonly set: (change: Partial<PublishDraft>) => void;
}) {
  return (
    <Field label={label} error={errors[name]}>
      {(control) => (
        <input
          {...control}
          name={name}
          autocomplete="off"
          spellcheck={false}
          placeholder={hint ?? ""}
          value={draft[name]}
          onInput={(event) => set({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

function hasOptions({ ttl, delay, idempotencyKey }: PublishDraft): boolean {
  return ttl !== "" || delay !== "" || idempotencyKey !== "";
}

function hasOptionErrors(errors: DraftErrors): boolean {
  return ["ttl", "delay", "idempotencyKey"].some((name) => errors[name] !== undefined);
}
