import { readDuration } from "./duration.ts";

/** What stands in the publish form. */
export interface PublishDraft {
  readonly payload: string;
  readonly kind: "json" | "text";
  readonly type: string;
  readonly key: string;
  readonly headers: readonly DraftHeader[];
  readonly ttl: string;
  readonly delay: string;
  readonly idempotencyKey: string;
}

/** A header in the publish form. */
export interface DraftHeader {
  readonly name: string;
  readonly value: string;
}

/** An empty form. */
export const EMPTY_DRAFT: PublishDraft = {
  payload: "",
  kind: "json",
  type: "",
  key: "",
  headers: [],
  ttl: "",
  delay: "",
  idempotencyKey: "",
};

/** What is wrong, by the field where it is said; `form` for what is no single field's fault. */
export type DraftErrors = Readonly<Record<string, string>>;

/** A request's body, or why there is none. */
export type DraftResult =
  | { readonly body: string; readonly errors?: never }
  | { readonly body?: never; readonly errors: DraftErrors };

const NO_DURATION = "A number with ms, s, m, h or d, such as 10m";

/** Makes the body of `POST /publish`; the payload goes as it was written, so that no number changes. */
export function bodyOf(draft: PublishDraft, topic: string): DraftResult {
  const errors: Record<string, string> = {};
  const data = draft.kind === "text" ? JSON.stringify(draft.payload) : draft.payload.trim();
  const fault = draft.kind === "text" ? undefined : jsonFault(draft.payload);
  if (fault !== undefined) errors["payload"] = fault;
  const [ttlMs, delayMs] = (["ttl", "delay"] as const).map((name) => {
    const ms = draft[name].trim() === "" ? undefined : readDuration(draft[name]) ?? NaN;
    if (Number.isNaN(ms)) errors[name] = NO_DURATION;
    return ms;
  });
  const headers = headersOf(draft.headers, errors);
  if (Object.keys(errors).length > 0) return { errors };
  const envelope = JSON.stringify({
    topic,
    type: filled(draft.type),
    key: filled(draft.key),
    headers,
    ttlMs,
    delayMs,
    idempotencyKey: filled(draft.idempotencyKey),
  });
  return { body: `${envelope.slice(0, -1)},"data":${data}}` };
}

/** Why a text is no JSON, with the place where it goes wrong; undefined where it is. */
export function jsonFault(text: string): string | undefined {
  if (text.trim() === "") return "JSON has at least one value, such as null; or choose Text";
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return placed(message, text);
  }
}

/** Which field of the form a problem's pointer means. */
export function fieldOf(pointer: string): string {
  const [first = "", second] = pointer.replace(/^#?\/?/, "").split("/").map(unescapePointer);
  switch (first) {
    case "data":
    case "dataBase64":
      return "payload";
    case "ttlMs":
      return "ttl";
    case "delayMs":
    case "at":
      return "delay";
    case "headers":
      return second === undefined ? "headers" : `headers/${second}`;
    case "type":
    case "key":
    case "idempotencyKey":
      return first;
    default:
      return "form";
  }
}

/** The server's errors by the fields of the form. */
export function errorsByField(
  errors: readonly { readonly pointer: string; readonly detail: string }[],
): DraftErrors {
  return Object.fromEntries(errors.map(({ pointer, detail }) => [fieldOf(pointer), detail]));
}

function headersOf(
  headers: readonly DraftHeader[],
  errors: Record<string, string>,
): Record<string, string> | undefined {
  const used = headers.filter(({ name, value }) => name !== "" || value !== "");
  for (const { name } of used) {
    if (name === "") errors["headers"] = "A header has a name";
    else if (used.filter((other) => other.name === name).length > 1) {
      errors[`headers/${name}`] = "This name is there twice";
    }
  }
  if (used.length === 0) return undefined;
  return Object.fromEntries(used.map(({ name, value }) => [name, value]));
}

function filled(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Browsers say the place in different ways, some as an offset alone. */
function placed(message: string, text: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined || /line \d+/.test(message)) return message;
  const before = text.slice(0, Number(offset)).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `${message} (line ${before.length}, column ${column})`;
}
