import { setTimeout as pause } from "node:timers/promises";
import { ServerSentEventParseStream } from "../http/std.ts";
import { type Api, problemOf, readProblem } from "./api.ts";

/** Query parameters, in order. */
export type Query = readonly (readonly [name: string, value: string])[];

/** One event of a stream. */
export interface StreamEvent {
  /** The `event:` field; undefined for an untyped message. */
  readonly event: string | undefined;
  readonly data: string;
}

/** Options of {@link readEvents}. */
export interface EventStreamOptions {
  /** Query of the first request. */
  readonly query: Query;
  /**
   * Query of the next request after a break, without `since`: the position is the last event id. Undefined where the
   * stream is complete.
   */
  readonly resume: () => Query | undefined;
  /** Told of every break: why, and after how many milliseconds it is tried again. */
  readonly onBreak: (reason: string, waitMs: number) => void;
  /** Told of every stream that opens, with the headers of the answer. @default nobody */
  readonly onOpen?: (headers: Headers) => void;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/**
 * The events of a subscription; after every break it is resumed from the last event id that was seen. It ends when
 * `resume` says so, or the server answers 204.
 *
 * @throws {CliError} when the first request fails, or a later one in a way that trying again cannot cure.
 * @throws {DOMException} an AbortError when the signal aborts.
 */
export async function* readEvents(
  api: Api,
  options: EventStreamOptions,
): AsyncGenerator<StreamEvent, void> {
  const { resume, onBreak, onOpen, signal } = options;
  const position: Position = { lastEventId: "", retryMs: FIRST_RETRY_MS };
  let query: Query | undefined = options.query;
  let failures = 0;
  for (let first = true; query; first = false) {
    let reason = "The server ended the stream";
    try {
      const body = await open(api, { query, position, signal, first, onOpen });
      if (!body) return;
      failures = 0;
      yield* follow(body, position);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Interruption)) throw error;
      reason = error.message;
      failures++;
    }
    query = resume();
    if (!query) return;
    // Like the browser's EventSource, with a doubling wait while nothing answers.
    const waitMs = Math.min(position.retryMs * 2 ** Math.max(0, failures - 1), LONGEST_RETRY_MS);
    onBreak(reason, waitMs);
    await pause(waitMs, undefined, { signal });
  }
}

/** Where a stream stands, and how long the server asks to wait before coming back. */
interface Position {
  lastEventId: string;
  retryMs: number;
}

/** What a new request can cure. */
class Interruption extends Error {}

interface Opening {
  readonly query: Query;
  readonly position: Position;
  readonly signal: AbortSignal | undefined;
  /** Whether nothing has worked yet: then it is more likely wrong than interrupted. */
  readonly first: boolean;
  readonly onOpen: ((headers: Headers) => void) | undefined;
}

async function open(
  api: Api,
  { query, position: { lastEventId }, signal, first, onOpen }: Opening,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  const headers = {
    accept: "text/event-stream",
    ...(lastEventId === "" ? {} : { "last-event-id": lastEventId }),
  };
  let response: Response;
  try {
    response = await api.attempt("subscribe", { query, headers, signal });
  } catch (error) {
    if (first || !(error instanceof Error)) throw error;
    throw new Interruption(error.message);
  }
  if (response.status === 204) return undefined;
  if (response.ok && response.body) {
    onOpen?.(response.headers);
    return response.body;
  }
  if (first) throw await problemOf(response);
  const { retryable, detail } = await readProblem(response.clone());
  if (retryable === false) throw await problemOf(response);
  await response.body?.cancel();
  throw new Interruption(detail ?? `The server answered ${response.status}`);
}

async function* follow(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  position: Position,
): AsyncGenerator<StreamEvent, void> {
  const events = body.pipeThrough(wholeEvents()).pipeThrough(
    new ServerSentEventParseStream({ ignoreComments: true }),
  );
  try {
    for await (const { event, data, id, retry } of events) {
      if (id !== undefined) position.lastEventId = id;
      if (retry !== undefined) position.retryMs = retry;
      if (data !== undefined) yield { event, data };
    }
  } catch (error) {
    throw new Interruption(error instanceof Error ? error.message : `${error}`);
  }
}

// The parser also gives out what stands before the end of the stream without the closing blank line: half an event,
// with half an id, where a connection was cut. The standard says to drop it.
function wholeEvents(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let end = "\n\n";
  return new TransformStream({
    transform(chunk, controller) {
      end = (end + new TextDecoder("latin1").decode(chunk.subarray(-4))).slice(-4);
      controller.enqueue(chunk);
    },
    flush(controller) {
      if (!/(\n|\r)(\r\n|\n|\r)$/.test(end)) controller.error(new Error("The stream was cut"));
    },
  });
}
