import { Fragment, type RefObject } from "preact";
import type { Api } from "../api.ts";
import { Button } from "../ui/button.tsx";
import { formatAge, formatBytes, formatDateTime } from "../ui/format.ts";
import { CopyButton } from "./copy_button.tsx";
import { curlCommand, republishTopic } from "./curl.ts";
import { download } from "./download.ts";
import { PayloadView } from "./payload_view.tsx";
import { kindAt } from "./raw_json.ts";
import { binaryPayload, payloadText, type RawMessage } from "./raw_message.ts";

/** What {@link MessageView} takes. */
export interface MessageViewProps {
  readonly message: RawMessage;
  readonly api: Api;
  /** The server's time in milliseconds since 1970. */
  readonly now: number;
  readonly onClose: () => void;
  /** Takes the message into the publish form; undefined where there is none. */
  readonly onEdit?: ((message: RawMessage) => void) | undefined;
  /** Where the focus goes that comes into it. */
  readonly heading: RefObject<HTMLHeadingElement | null>;
}

/** Characters from which on a message is no text to be edited in a form. */
const EDITABLE_MOST = 200_000;

/** One message with all that it has. */
export function MessageView({ message, api, now, onClose, onEdit, heading }: MessageViewProps) {
  const { id, time, text, isBinary } = message;
  const canEdit = onEdit !== undefined && !isBinary && text.length <= EDITABLE_MOST;
  return (
    <section
      class="tp-message card"
      aria-label="Message"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <header class="tp-side-head">
        <h2 tabIndex={-1} ref={heading}>Message</h2>
        <Button kind="quiet" size="small" onClick={onClose} aria-label="Close the message">
          ✕
        </Button>
      </header>
      <div class="tp-side-body">
        <dl class="tp-facts">
          <Fact name="Id" value={id ?? "none: it was ephemeral"} isCode />
          <dt>Time</dt>
          <dd>
            {formatDateTime(time)} <span class="muted">· {formatAge(now - time)}</span>
          </dd>
          <Fact name="Type" value={message.type} isCode />
          <Fact name="Key" value={message.key} isCode />
          <Fact name="Content type" value={message.contentType} isCode />
          <Fact name="Reply to" value={message.replyTo} isCode />
          <Fact name="Size" value={formatBytes(text.length)} />
        </dl>
        {message.headers !== undefined && <Headers headers={message.headers} />}
        <div class="row">
          <CopyButton label="Copy JSON" text={() => text} />
          {republishTopic(message.topic) !== undefined && (
            <CopyButton
              label="Copy as curl"
              text={() => curlOf(message, api)}
            />
          )}
          <Button size="small" onClick={() => save(message)}>Download</Button>
          {canEdit && (
            <Button size="small" onClick={() => onEdit(message)}>
              Edit and publish
            </Button>
          )}
        </div>
        <PayloadView key={`${id} ${time}`} message={message} />
      </div>
    </section>
  );
}

function Fact({ name, value, isCode = false }: {
  readonly name: string;
  readonly value: string | undefined;
  readonly isCode?: boolean;
}) {
  if (value === undefined) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd class={isCode ? "mono" : ""}>{value}</dd>
    </>
  );
}

function Headers({ headers }: { readonly headers: Readonly<Record<string, string>> }) {
  return (
    <div>
      <h3>Headers</h3>
      <dl class="tp-facts mono">
        {Object.entries(headers).map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
      </dl>
    </div>
  );
}

function curlOf(message: RawMessage, { base, token }: Api): string {
  return curlCommand(message, { base, withToken: token !== undefined }) ?? "";
}

function save(message: RawMessage): void {
  const name = `message-${message.id ?? message.time}`;
  if (message.isBinary) {
    const type = message.contentType ?? "application/octet-stream";
    // never a type that the browser would open as a page of this origin
    return download(binaryPayload(message), { name: `${name}.bin`, type: inert(type) });
  }
  const isText = kindAt(message.text, message.payload.start) === "string";
  const content = payloadText(message);
  if (isText) download(JSON.parse(content), { name: `${name}.txt`, type: "text/plain" });
  else download(content, { name: `${name}.json`, type: "application/json" });
}

function inert(type: string): string {
  return /^(image\/(png|jpeg|gif|webp)|application\/(pdf|zip|gzip|octet-stream))$/.test(type)
    ? type
    : "application/octet-stream";
}
