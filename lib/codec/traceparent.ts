/** The header by which traces go from one program to the next, as W3C Trace Context has it. */
export const TRACEPARENT = "traceparent";

const FORM = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const LENGTH_MOST = 256;

/** A trace context in the form of version 00; undefined where it is none, and must be ignored. */
export function readTraceparent(text: string | null | undefined): string | undefined {
  if (typeof text !== "string" || text.length > LENGTH_MOST) return undefined;
  const [, trace = "", span = "", flags = "", more] = FORM.exec(text) ?? [];
  // of a later version what is known here comes first; there is nothing more in this one
  if (trace === "" || (more !== undefined && text.startsWith("00"))) return undefined;
  return /^0+$/.test(trace) || /^0+$/.test(span) ? undefined : `00-${trace}-${span}-${flags}`;
}

/** What may carry a trace context among the headers of a message. */
interface Carrier {
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A message that carries a trace context, where there is one to carry. */
export function withTraceparent<T extends Carrier>(message: T, traceparent: string | undefined): T {
  if (traceparent === undefined) return message;
  return { ...message, headers: { ...message.headers, [TRACEPARENT]: traceparent } };
}

/** A message as it would be without a trace context: what is sent again in another trace is the same message. */
export function withoutTraceparent<T extends Carrier>(message: T): T {
  if (message.headers?.[TRACEPARENT] === undefined) return message;
  const { [TRACEPARENT]: _, ...headers } = message.headers;
  const { headers: __, ...bare } = message;
  // it has all that it had
  return (Object.keys(headers).length === 0 ? bare : { ...bare, headers }) as T;
}
