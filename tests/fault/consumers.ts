/** Consumers that do what consumers do on bad days, and what they saw. */
import { randomSource } from "../_support/random.ts";
import { type Answer, send } from "../_support/http.ts";
import { sleep, until } from "../_support/until.ts";
import type { Pulled, Settled } from "../_support/work.ts";

/** The chance, from 0 to 1, that a consumer does something else than acknowledge. */
export interface Mischief {
  /** Of each message: it is given back. */
  readonly nack: number;
  /** Of each pull: the consumer ends with what it got, and comes back as somebody else. */
  readonly crash: number;
  /** Of each pull: the consumer takes longer than its lease. */
  readonly stall: number;
}

/** Options of {@link startConsumers}. */
export interface ConsumersOptions {
  /** Where to pull; a consumer that got an error turns to the next. */
  readonly urls: readonly string[];
  readonly topic: string;
  readonly group: string;
  readonly count: number;
  readonly seed: number;
  readonly leaseMs: number;
  /** @default none */
  readonly mischief?: Mischief;
  /** Messages that are given back whenever they come. @default none */
  readonly isPoison?: (data: unknown) => boolean;
  /** Whether a pull whose answer was lost is repeated as what it was; a cure that a twin turns off. @default true */
  readonly attempts?: boolean;
}

/** One lease of one message, as a consumer got it. */
export interface Given {
  readonly lease: string;
  readonly deliveries: number;
}

/** Running consumers of one group. */
export class Consumers implements AsyncDisposable {
  /** Every lease of each message that reached a consumer. */
  readonly given = new Map<string, Given[]>();
  /** How often an ack of each message was said to be done. */
  readonly acked = new Map<string, number>();
  /** Messages that were to be acknowledged, whatever came of it. */
  readonly worked = new Set<string>();
  /** Answers that were no success, by code. */
  readonly refusals = new Map<string, number>();
  crashes = 0;
  stalls = 0;
  readonly #options: ConsumersOptions;
  readonly #stop = new AbortController();
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  /** Begins to work. */
  start(): void {
    const { count, seed } = this.#options;
    this.#work = Promise.all(
      Array.from({ length: count }, (_, i) => this.#run(`c${i}`, randomSource(seed * 1_000 + i))),
    );
    // whoever stops them gets the failure
    this.#work.catch(() => {});
  }

  /** Waits until so many more were acknowledged than now. */
  async progress(count: number, timeoutMs = 15_000): Promise<void> {
    const goal = this.acked.size + count;
    await until(() => this.acked.size >= goal, { timeoutMs, everyMs: 2, what: `${goal} acks` });
  }

  /** Ends them. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work.catch(() => {});
  }

  async #run(name: string, random: () => number): Promise<void> {
    for (let life = 0; !this.#stop.signal.aborted; life++) {
      await this.#live(`${name}-${life}`, random);
    }
  }

  /** One life of a consumer, until it crashes. */
  async #live(consumer: string, random: () => number): Promise<void> {
    const { attempts = true, leaseMs } = this.#options;
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      const max = 1 + Math.floor(random() * 100);
      const wanted = { consumer, max, leaseMs, waitMs: 200, ...(attempts ? { attempt } : {}) };
      const pulled = await this.#ask<Pulled>("pull", wanted);
      if (pulled === undefined) return;
      if (!await this.#do(pulled, random)) return;
    }
  }

  /** Works on what was pulled; false where the consumer crashed. */
  async #do({ messages, lease }: Pulled, random: () => number): Promise<boolean> {
    const { mischief, isPoison = () => false, leaseMs } = this.#options;
    const { nack = 0, crash = 0, stall = 0 } = mischief ?? {};
    for (const { id, deliveries } of messages) this.#note(id, { lease: lease ?? "", deliveries });
    const good: string[] = [], bad: string[] = [];
    if (messages.length > 0 && random() < crash) {
      this.crashes++;
      return false;
    }
    for (const { id, data } of messages) {
      if (isPoison(data) || random() < nack) bad.push(id);
      else good.push(id);
    }
    if (messages.length > 0 && random() < stall) {
      this.stalls++;
      await sleep(leaseMs * 1.5);
    }
    if (bad.length > 0) {
      const delayMs = Math.floor(random() * 100);
      await this.#ask<Settled>("ack", { ids: bad, outcome: "nack", lease, delayMs });
    }
    for (const id of good) this.worked.add(id);
    if (good.length === 0) return true;
    const settled = await this.#ask<Settled>("ack", { ids: good, lease });
    const unknown = new Set(settled?.unknown ?? good);
    for (const id of good) {
      if (!unknown.has(id)) this.acked.set(id, (this.acked.get(id) ?? 0) + 1);
    }
    return true;
  }

  /** Asks until it is answered; undefined where they were stopped before. */
  async #ask<T>(path: string, fields: Record<string, unknown>): Promise<T | undefined> {
    const { urls, topic, group } = this.#options;
    const json = { topic, group, ...fields };
    for (let tries = 0;; tries++) {
      const url = urls[tries % urls.length];
      const answer: Answer | undefined = await send(`${url}/${path}`, { json })
        .catch(() => undefined);
      // the API's contract; whoever looks into it checks it
      if (answer?.status === 200) return answer.body as unknown as T;
      const code = `${answer?.body.code ?? "no answer"}`;
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
      if (this.#stop.signal.aborted || code === "stale_attempt") return undefined;
      await sleep(15);
    }
  }

  #note(id: string, given: Given): void {
    const before = this.given.get(id);
    // the same lease again is the same delivery, told twice
    if (before?.at(-1)?.lease === given.lease) return;
    if (before === undefined) this.given.set(id, [given]);
    else before.push(given);
  }
}

/** Starts consumers; disposing them ends them. */
export function startConsumers(options: ConsumersOptions): Consumers {
  const consumers = new Consumers(options);
  consumers.start();
  return consumers;
}
