import type { Message } from "./message.ts";
import { retrying } from "./publisher.ts";
import { passing } from "./runnel_error.ts";
import { type StandardSchema, validated } from "./schema.ts";
import type { Transport } from "./transport.ts";
import { onAbort, unique } from "./wait.ts";

/** Options of a worker. */
export interface WorkOptions<T = unknown> {
  /** How many messages are worked on at the same time. @default 1 */
  readonly concurrency?: number;
  /** How long a message is held at a time, in milliseconds; renewed while it is worked on. @default 30000 */
  readonly leaseMs?: number;
  /** @default one of its own */
  readonly consumer?: string;
  /** Where the group starts if it is new. @default "latest" */
  readonly since?: string;
  /**
   * How long a message waits that failed, in milliseconds.
   * @default 1 second, twice as long at each delivery, at the most a minute
   */
  readonly delayMs?: (message: Message) => number;
  /** What a message must be; one that is not has failed. */
  readonly schema?: StandardSchema<unknown, T> | undefined;
  /** Told of what goes wrong and is tried again: what the handler threw with its message, and lost links without one. */
  readonly onError?: (error: unknown, message?: Message) => unknown;
  /** Ends it, as {@link Worker.close} does. */
  readonly signal?: AbortSignal;
}

/** Works on one message. The signal aborts when the message is no longer held, and somebody else may get it. */
export type WorkHandler<T> = (
  message: Message<T>,
  context: { readonly signal: AbortSignal },
) => unknown;

/** Options of a {@link Worker}. */
export interface WorkerOptions<T> extends WorkOptions<T> {
  readonly topic: string;
  readonly group: string;
  readonly handler: WorkHandler<T>;
}

interface Pulled {
  readonly lease: string | null;
  readonly messages: readonly Message[];
}

const WAIT_MS = 20_000;
const DELAY_MOST_MS = 60_000;

/** Works through a group until it is closed. */
export class Worker<T = unknown> {
  /** Fulfilled when it is closed and what was under way is done; rejected with what ended it. */
  readonly closed: Promise<void>;
  readonly #transport: Transport;
  readonly #options: Required<Pick<WorkOptions, "leaseMs" | "consumer">> & WorkerOptions<T>;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  // above those of an earlier run of the same consumer
  #attempt = Date.now();

  constructor(transport: Transport, options: WorkerOptions<T>) {
    this.#transport = transport;
    this.#options = { leaseMs: 30_000, consumer: unique(), ...options };
    this.closed = this.#run().finally(() => forget());
    const forget = onAbort(options.signal, () => this.#stop.abort());
  }

  /** Takes no more, and resolves when what is under way is done. */
  close(): Promise<void> {
    this.#stop.abort();
    return this.closed;
  }

  async #run(): Promise<void> {
    const { concurrency = 1 } = this.#options;
    try {
      while (!this.#stop.signal.aborted) {
        if (this.#running.size >= concurrency) {
          await Promise.race(this.#running);
          continue;
        }
        const { lease, messages } = await this.#pull(concurrency - this.#running.size);
        for (const message of messages) {
          const work = this.#work(message, lease ?? "").finally(() => this.#running.delete(work));
          this.#running.add(work);
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      await Promise.all(this.#running);
    }
  }

  /** What was leased by a pull whose answer was lost comes with the next one, which has the same attempt. */
  async #pull(max: number): Promise<Pulled> {
    const { topic, group, consumer, since, leaseMs, onError } = this.#options;
    const { signal } = this.#stop;
    const json = {
      ...{ topic, group, consumer, attempt: this.#attempt, since },
      ...{ max, waitMs: WAIT_MS, leaseMs },
    };
    const pulled = await retrying(() => this.#transport.call("pull", { json, signal }), {
      ...{ attempts: Infinity, signal, onError },
    });
    this.#attempt++;
    // what the server answers
    return pulled as Pulled;
  }

  async #work(message: Message, lease: string): Promise<void> {
    const { onError, schema, handler, leaseMs, delayMs = usualDelay } = this.#options;
    const held = new AbortController();
    const lost = () => held.abort(passing("lease_lost", "The lease has ended"));
    let until = Date.now() + leaseMs;
    const keeper = setInterval(async () => {
      const next = Date.now() + leaseMs;
      try {
        const { unknown } = await this.#settle(message, { lease, outcome: "extend", leaseMs });
        if (unknown.length > 0) lost();
        else until = next;
      } catch {
        if (Date.now() > until) lost();
      }
    }, leaseMs / 3);
    let outcome: object = { outcome: "ack" };
    try {
      await handler(await validated(message, schema), { signal: held.signal });
    } catch (error) {
      onError?.(error, message);
      outcome = { outcome: "nack", delayMs: delayMs(message) };
    } finally {
      clearInterval(keeper);
    }
    const send = () => this.#settle(message, { lease, ...outcome });
    // without it the message comes again, which is all that can be done
    await retrying(send, { attempts: 8, onError }).catch((error) => onError?.(error, message));
  }

  async #settle(message: Message, rest: object): Promise<{ readonly unknown: readonly string[] }> {
    const { topic, group, leaseMs: timeoutMs } = this.#options;
    const json = { topic, group, ids: [message.id], ...rest };
    // what the server answers
    return await this.#transport.call("ack", { json, timeoutMs }) as {
      unknown: string[];
    };
  }
}

function usualDelay({ deliveries = 1 }: Message): number {
  return Math.min(1_000 * 2 ** Math.min(deliveries - 1, 10), DELAY_MOST_MS);
}
