import { useMemo, useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { formatBytes } from "../ui/format.ts";
import { hexText } from "./hex_text.ts";
import { JsonTree } from "./json_tree.tsx";
import { LongText, START_MOST } from "./long_text.tsx";
import { kindAt, startOfString, wholeValue } from "./raw_json.ts";
import { binaryPayload, binarySize, payloadText, type RawMessage } from "./raw_message.ts";

/** Bytes of a binary payload that are shown. */
const HEX_BYTES = 1_024;
/** Characters of a text up to which it is looked whether it is JSON. */
const PARSED_MOST = 1 << 20;

/** A message's payload: JSON as a tree or as it came, text as text, bytes in hexadecimal. */
export function PayloadView({ message }: { readonly message: RawMessage }) {
  if (message.isBinary) return <Binary message={message} />;
  return <Written message={message} />;
}

function Binary({ message }: { readonly message: RawMessage }) {
  const size = binarySize(message);
  const bytes = useMemo(() => binaryPayload(message, HEX_BYTES), [message]);
  return (
    <div class="stack close">
      <p class="small muted">
        {formatBytes(size)} of {message.contentType ?? "application/octet-stream"}
        {size > HEX_BYTES && `, the first ${formatBytes(HEX_BYTES)}`}
      </p>
      <pre
        class="tp-text tp-hex"
        tabIndex={0}
        aria-label="Payload in hexadecimal"
      >{hexText(bytes)}</pre>
    </div>
  );
}

function Written({ message }: { readonly message: RawMessage }) {
  const [isTree, setTree] = useState(true);
  const shown = useMemo(() => readPayload(message), [message]);
  const { tree } = shown;
  return (
    <div class="stack close">
      {tree !== undefined && (
        <div class="row">
          <div class="tp-choice" role="group" aria-label="How the payload is shown">
            <Button size="small" aria-pressed={isTree} onClick={() => setTree(true)}>Tree</Button>
            <Button size="small" aria-pressed={!isTree} onClick={() => setTree(false)}>Raw</Button>
          </div>
          {shown.isText && <span class="small muted">A text that is JSON</span>}
        </div>
      )}
      {tree !== undefined && isTree
        ? <JsonTree text={tree} span={wholeValue(tree)} />
        : <LongText label="Payload" {...shown} />}
    </div>
  );
}

/** What is shown of a payload: `tree` where it is, or contains, an object or an array. */
function readPayload(message: RawMessage) {
  const { text, payload } = message;
  const kind = kindAt(text, payload.start);
  const length = payload.end - payload.start;
  if (kind !== "string") {
    const tree = kind === "object" || kind === "array" ? payloadText(message) : undefined;
    return {
      tree,
      isText: false,
      start: text.slice(payload.start, Math.min(payload.end, payload.start + START_MOST)),
      length,
      whole: () => payloadText(message),
    };
  }
  const whole = (): string => JSON.parse(payloadText(message));
  const start = startOfString(text, payload, START_MOST);
  const tree = length <= PARSED_MOST && /^\s*[{[]/.test(start) ? jsonIn(whole()) : undefined;
  const size = start.length < START_MOST ? start.length : length - 2;
  return { tree, isText: true, start, length: size, whole };
}

function jsonIn(text: string): string | undefined {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
