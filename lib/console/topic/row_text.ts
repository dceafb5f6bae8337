import { formatBytes } from "../ui/format.ts";
import { kindAt, startOfString, wellFormedStart } from "./raw_json.ts";
import { binarySize, type RawMessage } from "./raw_message.ts";

/** As much of a payload as a row has room for. */
const MOST = 240;
const known = new WeakMap<RawMessage, string>();

/** A payload in one line. */
export function rowText(message: RawMessage): string {
  const text = known.get(message) ?? make(message);
  known.set(message, text);
  return text;
}

function make(message: RawMessage): string {
  const { text, payload, isBinary, contentType } = message;
  if (isBinary) return `${formatBytes(binarySize(message))} of ${contentType ?? "binary data"}`;
  const isString = kindAt(text, payload.start) === "string";
  const start = isString
    ? startOfString(text, payload, MOST)
    : wellFormedStart(text.slice(payload.start, Math.min(payload.end, payload.start + MOST)), MOST);
  const line = start.replace(/\s+/g, " ");
  if (payload.end - payload.start > MOST) return `${line}…`;
  return line === "" ? "(empty text)" : line;
}
