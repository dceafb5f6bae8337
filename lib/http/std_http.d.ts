/** Types of the parts of std/http that Runnel uses; the package ships none. */

/** The best of `types` by the request's Accept header, undefined where none is accepted. */
export function accepts(request: Pick<Request, "headers">, ...types: string[]): string | undefined;

/** HTTP status codes by name. */
export const STATUS_CODE: {
  readonly OK: 200;
  readonly NoContent: 204;
  readonly NotModified: 304;
};

/** An event of a parsed event stream. */
export interface ServerSentEventParsedMessage {
  comment?: string;
  event?: string;
  data?: string;
  id?: string;
  retry?: number;
}

/** Options of {@link ServerSentEventParseStream}. */
export interface ServerSentEventParseStreamOptions {
  ignoreComments?: boolean;
}

/** Parses the bytes of an event stream into events. */
export class ServerSentEventParseStream
  extends TransformStream<Uint8Array, ServerSentEventParsedMessage> {
  constructor(options?: ServerSentEventParseStreamOptions);
}

/** A cookie that is set. */
export interface Cookie {
  name: string;
  value: string;
  maxAge?: number;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  partitioned?: boolean;
}

/** Adds a Set-Cookie header. */
export function setCookie(headers: Headers, cookie: Cookie): void;
