import { setTimeout as pause } from "node:timers/promises";
import { parseJsonText } from "../codec/json.ts";
import { type Api, problemOf } from "./api.ts";
import { CliError } from "./cli_error.ts";
import type { ShownMessage } from "./message_line.ts";

/** A message that this consumer holds. */
export interface WorkMessage extends ShownMessage {
  readonly id: string;
  readonly key?: string;
  readonly replyTo?: string;
  /** How often it was given out, this time included. */
  readonly deliveries: number;
}

/** Options of {@link Worker}. */
export interface WorkerOptions {
  readonly api: Api;
  /** A topic or a pattern. */
  readonly topic: string;
  readonly group: string;
  readonly consumer: string;
  /** Messages that are worked on at the same time. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Where a new group starts. @default latest */
  readonly since?: string | undefined;
  /** Ends after so many messages. @default never */
  readonly limit?: number | undefined;
  /** Whether it stays when there is nothing to do. */
  readonly wait: boolean;
  /** How long a message waits before it is given out again, in milliseconds. */
  readonly retryDelayMs: (deliveries: number) => number;
  /** Works on one message; resolves with whether it is done. */
  readonly handle: (message: WorkMessage) => Promise<boolean>;
  /** Told of what goes wrong and is tried again. */
  readonly onTrouble: (text: string) => void;
}

/** What a worker did. */
export interface WorkerSummary {
  readonly done: number;
  readonly givenBack: number;
}

interface Pulled {
  readonly lease: string | null;
  readonly messages: readonly WorkMessage[];
}

const WAIT_MS = 20_000;
const MAX_PAUSE_MS = 5_000;

/**
 * Pulls messages of a group, works on some at a time, keeps their leases while it does, and acknowledges them. A pull
 * whose answer was lost is repeated under the same attempt, so that what it leased is not left lying.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #running = new Set<Promise<void>>();
  // above those of an earlier run of the same consumer
  #attempt = Date.now();
  #taken = 0;
  #done = 0;
  #givenBack = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Works until the signal aborts, the limit is reached, or there is nothing left and it need not wait; what is under way
   * is finished.
   *
   * @throws {CliError} where the server refuses for good.
   */
  async run(stop: AbortSignal): Promise<WorkerSummary> {
    try {
      await this.#work(stop);
    } finally {
      await Promise.all(this.#running);
    }
    return { done: this.#done, givenBack: this.#givenBack };
  }

  async #work(stop: AbortSignal): Promise<void> {
    const { concurrency, limit = Infinity, wait } = this.#options;
    while (!stop.aborted && this.#taken < limit) {
      const free = Math.min(concurrency - this.#running.size, limit - this.#taken);
      if (free === 0) {
        await Promise.race(this.#running);
        continue;
      }
      const { lease, messages } = await this.#pull(free, stop);
      if (messages.length === 0 && !wait && !stop.aborted) {
        if (this.#running.size === 0) return;
        await Promise.race(this.#running);
      }
      for (const message of messages) this.#begin(message, lease ?? "");
    }
  }

  async #pull(max: number, stop: AbortSignal): Promise<Pulled> {
    const { topic, group, consumer, leaseMs, since, wait } = this.#options;
    const body = {
      topic,
      group,
      consumer,
      attempt: this.#attempt,
      max,
      leaseMs,
      waitMs: wait ? WAIT_MS : 0,
      ...(since === undefined ? {} : { since }),
    };
    const answer = await this.#persist("pull", body, { stop, until: Infinity });
    this.#attempt++;
    return (answer ?? { lease: null, messages: [] }) as Pulled;
  }

  #begin(message: WorkMessage, lease: string): void {
    this.#taken++;
    const running = this.#handle(message, lease).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #handle(message: WorkMessage, lease: string): Promise<void> {
    const { leaseMs, handle, retryDelayMs, onTrouble } = this.#options;
    const ids = [message.id];
    const keeper = setInterval(() => {
      this.#settle({ ids, lease, outcome: "extend", leaseMs }).catch(() => {});
    }, leaseMs / 2);
    let done = false;
    try {
      done = await handle(message);
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : `${error}`);
    } finally {
      clearInterval(keeper);
    }
    if (done) this.#done++;
    else this.#givenBack++;
    const outcome = done
      ? { outcome: "ack" }
      : { outcome: "nack", delayMs: retryDelayMs(message.deliveries) };
    try {
      await this.#settle({ ids, lease, ...outcome });
    } catch (error) {
      const why = error instanceof Error ? error.message : `${error}`;
      onTrouble(`${message.id} will be delivered again: ${why}`);
    }
  }

  async #settle(what: Record<string, unknown>): Promise<void> {
    const { topic, group, leaseMs } = this.#options;
    const until = Date.now() + leaseMs;
    await this.#persist("ack", { topic, group, ...what }, { until });
  }

  /** Sends a request until it is answered; undefined where it was stopped. */
  async #persist(
    path: string,
    body: Record<string, unknown>,
    { stop, until }: { stop?: AbortSignal; until: number },
  ): Promise<unknown> {
    for (let failures = 0;; failures++) {
      const waitMs = Math.min(100 * 2 ** failures, MAX_PAUSE_MS);
      try {
        const response = await this.#options.api.attempt(path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
          signal: stop,
        });
        if (response.ok) return parseJsonText(await response.text());
        const problem = await problemOf(response);
        if (response.status < 500 || Date.now() >= until) throw new Refused(problem);
        this.#options.onTrouble(`${problem.message}: again in ${waitMs / 1000} s`);
      } catch (error) {
        if (stop?.aborted) return undefined;
        if (error instanceof Refused) throw error.problem;
        if (!(error instanceof Error) || Date.now() >= until) throw error;
        this.#options.onTrouble(`${error.message}: again in ${waitMs / 1000} s`);
      }
      await pause(waitMs, undefined, stop === undefined ? {} : { signal: stop }).catch(() => {});
      if (stop?.aborted) return undefined;
    }
  }
}

/** An answer that trying again cannot change. */
class Refused extends Error {
  constructor(readonly problem: CliError) {
    super(problem.message);
  }
}
