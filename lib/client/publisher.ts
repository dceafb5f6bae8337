import { errorOf, type Problem, RunnelError } from "./runnel_error.ts";
import type { Transport } from "./transport.ts";
import { backoff, onAbort, unique, wait } from "./wait.ts";

/** What can be said of a message beside its topic and data; the server's documentation says more. */
export interface PublishOptions {
  /** The name of the event; a subscriber's `message.type`. */
  readonly type?: string;
  /** What the message is about, for readers with `conflate`. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The media type of a binary payload. */
  readonly contentType?: string;
  /** Messages with the same one are stored once. @default one of its own, so that it can be sent again safely */
  readonly idempotencyKey?: string;
  /** For how long it is delivered, in milliseconds. */
  readonly ttlMs?: number;
  /** Publishes it later, after so many milliseconds. */
  readonly delayMs?: number;
  /** Publishes it later, at this time. */
  readonly at?: string | Date;
  /** @default "stored" */
  readonly durability?: "stored" | "replicated" | "ephemeral";
  /** How many replicas must have it; with `replicated`. */
  readonly replicas?: number;
  /** Waits until so many subscribers have confirmed it. */
  readonly confirm?: { readonly subscribers: number; readonly timeoutMs: number };
  /** How often it is sent at the most, where the error says that it may be tried again. @default the client's */
  readonly attempts?: number;
  /** Gives up waiting; what was sent by then may be stored. */
  readonly signal?: AbortSignal;
}

/** One message of {@link PublishOptions} with its topic and data. */
export interface OutgoingMessage extends Omit<PublishOptions, "signal" | "attempts"> {
  readonly topic: string;
  /** Any JSON value, or bytes. */
  readonly data?: unknown;
}

/** What became of a message. */
export interface Published {
  /** Null of an ephemeral message, and of one of later. */
  readonly id: string | null;
  readonly topic: string;
  /** Whether it was stored before, under the same idempotency key. */
  readonly duplicate: boolean;
  readonly scheduled?: { readonly token: string; readonly at: string };
  readonly replicas?: number;
  readonly confirmed?: boolean;
  readonly confirmations?: number;
}

/** How often, and when, something is sent again. */
export interface Retries {
  /** How often it is sent at the most. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of each failure after which it is tried again. */
  readonly onError?: ((error: RunnelError) => unknown) | undefined;
}

/** What one request takes. */
const BATCH_MESSAGES = 500;
const BATCH_CHARS = 250_000;

/**
 * Sends something until it is done, or not worth trying any more.
 *
 * @throws {RunnelError} the last one.
 */
export async function retrying<T>(
  send: () => Promise<T>,
  { attempts, signal, onError }: Retries,
): Promise<T> {
  for (let failures = 1;; failures++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof RunnelError && error.retryable) || failures >= attempts) throw error;
      onError?.(error);
      await wait(delayOf(error, failures), signal);
      signal?.throwIfAborted();
    }
  }
}

function delayOf(error: unknown, failures: number): number {
  const { retryAfterMs } = error as RunnelError; // nothing else is sent again
  return Math.max(retryAfterMs, backoff(failures));
}

/** A message as JSON has it, with a key under which it may be sent again. */
export function wireOf({ data, at, ...message }: OutgoingMessage): Record<string, unknown> {
  const { durability, idempotencyKey = durability === "ephemeral" ? undefined : unique() } =
    message;
  return {
    ...message,
    ...payloadOf(data),
    // a Date becomes what it should
    ...{ idempotencyKey, at },
  };
}

/** Bytes as base64, anything else as it is. */
export function payloadOf(data: unknown): Record<string, unknown> {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(bytes instanceof Uint8Array)) return { data: data ?? null };
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { dataBase64: btoa(text) };
}

interface Call {
  readonly wire: Readonly<Record<string, unknown>>;
  readonly size: number;
  readonly attempts: number;
  failures: number;
  resolve(published: Published): void;
  reject(error: unknown): void;
}

type Result = Omit<Published, "topic" | "duplicate"> | { readonly error: Problem };

/**
 * Publishes. What is called while a request is under way goes out together in the next one, so that messages are stored
 * in the order of the calls and a thousand calls take a few requests. A message that is refused for a while is sent again
 * by itself, behind others.
 */
export class Publisher {
  readonly #transport: Transport;
  #line: Call[] = [];
  #sending = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Publishes one message.
   *
   * @throws {RunnelError} when it was not stored, or it is not known whether it was.
   */
  async publish(message: OutgoingMessage, { attempts, signal }: Retries): Promise<Published> {
    signal?.throwIfAborted();
    const wire = wireOf(message);
    if (message.confirm) {
      const timeoutMs = message.confirm.timeoutMs + 30_000;
      const send = () => this.#transport.call("publish", { json: wire, signal, timeoutMs });
      return await retrying(send, { attempts, signal }) as Published;
    }
    let forget = () => {};
    try {
      return await new Promise<Published>((resolve, reject) => {
        const size = JSON.stringify(wire).length;
        const call: Call = { wire, size, attempts, failures: 0, resolve, reject };
        forget = onAbort(signal, () => {
          this.#line = this.#line.filter((other) => other !== call);
          reject(signal?.reason);
        });
        this.#join(call);
      });
    } finally {
      forget();
    }
  }

  #join(call: Call): void {
    this.#line.push(call);
    if (!this.#sending) this.#drain();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    // whatever is called in the same turn goes with it
    await Promise.resolve();
    while (this.#line.length > 0) await this.#send(this.#take());
    this.#sending = false;
  }

  #take(): Call[] {
    let chars = 0;
    const end = this.#line.findIndex(({ size }, i) =>
      (chars += size) > BATCH_CHARS && i > 0 || i === BATCH_MESSAGES
    );
    return this.#line.splice(0, end < 0 ? Infinity : end);
  }

  /** Settles the calls; the line waits where nothing at all could be stored. */
  async #send(calls: readonly Call[]): Promise<void> {
    const wires = calls.map(({ wire }) => wire);
    const isOne = wires.length === 1;
    let results: readonly Result[];
    try {
      // what the server answers
      const answer = await this.#transport.call(isOne ? "publish" : "batch", {
        json: isOne ? wires[0] : wires,
      }) as Published & { results: Result[] };
      results = isOne ? [answer] : answer.results;
    } catch (error) {
      const again = calls.filter((call) => isAgain(call, error));
      this.#line.unshift(...again);
      if (again[0]) await wait(delayOf(error, again[0].failures));
      return;
    }
    calls.forEach((call, i) => {
      const result = results[i] ?? { error: {} };
      const { topic } = call.wire;
      if (!("error" in result)) {
        return call.resolve({ duplicate: false, topic: `${topic}`, ...result });
      }
      const error = errorOf(result.error, result.error.status ?? 500);
      if (isAgain(call, error)) {
        wait(delayOf(error, call.failures)).then(() => this.#join(call));
      }
    });
  }
}

/** Whether a call that has failed is sent again; else it is rejected. */
function isAgain(call: Call, error: unknown): boolean {
  if (error instanceof RunnelError && error.retryable && ++call.failures < call.attempts) {
    return true;
  }
  call.reject(error);
  return false;
}
