/** Publishers that run at full speed and never give up, and what they were told. */
import { randomSource } from "../_support/random.ts";
import { type Answer, send } from "../_support/http.ts";
import { until } from "../_support/until.ts";

/** A message that was answered 2xx. */
export interface Acknowledged {
  /** What the publisher put into `data`, unique over all messages of a run. */
  readonly n: string;
  readonly topic: string;
  readonly id: string;
  /** When the answer came, in milliseconds of `performance.now()`. */
  readonly at: number;
}

/** Options of {@link startPublishers}. */
export interface PublishersOptions {
  /** Where to publish; a publisher that got an error turns to the next. */
  readonly urls: readonly string[];
  readonly topics: readonly string[];
  readonly seed: number;
  /** Publishers of one message a request. @default 8 */
  readonly single?: number;
  /** Publishers of interleaved batches. @default 2 */
  readonly batches?: number;
  /** The idempotency key of a message; a cure that a twin turns off. @default the same at each attempt */
  readonly keyOf?: (n: string, attempt: number) => string | undefined;
  /** Characters of padding in each message. @default 0 */
  readonly padding?: number;
  /** How long one message may be refused, in milliseconds. @default 20000 */
  readonly patienceMs?: number;
  /** How messages are stored. @default "stored" */
  readonly durability?: "stored" | "replicated";
  /** How many replicas must have a message that is `replicated`. @default 1 */
  readonly replicas?: number;
}

interface Outgoing {
  readonly n: string;
  readonly topic: string;
}

/** Running publishers. Each sends its next message when the one before was answered 2xx. */
export class Publishers implements AsyncDisposable {
  /** In the order of the answers. */
  readonly acknowledged: Acknowledged[] = [];
  /** Answers by status and code that were no success. */
  readonly refusals = new Map<string, number>();
  readonly #options: Required<PublishersOptions>;
  readonly #stop = new AbortController();
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: PublishersOptions) {
    this.#options = {
      single: 8,
      batches: 2,
      keyOf: (n) => n,
      padding: 0,
      patienceMs: 20_000,
      durability: "stored",
      replicas: 1,
      ...options,
    };
  }

  /** Begins to publish. */
  start(): void {
    const { single, batches, seed } = this.#options;
    const loops = Array.from(
      { length: single + batches },
      (_, i) => this.#run(`p${i}`, { random: randomSource(seed * 1_000 + i), batch: i >= single }),
    );
    this.#work = Promise.all(loops);
    // whoever stops them gets the failure
    this.#work.catch(() => {});
  }

  /** Waits until so many more were acknowledged than now. */
  async progress(count: number, timeoutMs = 10_000): Promise<void> {
    const before = this.acknowledged.length;
    const refused = new Map(this.refusals);
    const isDone = () => {
      const done = this.acknowledged.length - before;
      if (done >= count) return true;
      const refusals = [...this.refusals]
        .map(([why, times]) => `${times - (refused.get(why) ?? 0)} ${why}`);
      throw new Error(`${done} were, refused: ${refusals.join(", ")}`);
    };
    await until(isDone, {
      timeoutMs,
      everyMs: 2,
      what: `${count} more messages to be acknowledged`,
    });
  }

  /** Ends them; resolves when everything they sent was answered 2xx. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work.catch(() => {});
  }

  async #run(
    name: string,
    { random, batch }: { random: () => number; batch: boolean },
  ): Promise<void> {
    const { topics } = this.#options;
    const pick = () => topics[Math.floor(random() * topics.length)] ?? "";
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      const size = batch ? 2 + Math.floor(random() * 12) : 1;
      await this.#publish(
        Array.from({ length: size }, (_, k) => ({ n: `${name}-${i}-${k}`, topic: pick() })),
      );
    }
  }

  async #publish(messages: readonly Outgoing[]): Promise<void> {
    let attempt = 0;
    const ids = await until(() => this.#tryOnce(messages, attempt++), {
      timeoutMs: this.#options.patienceMs,
      everyMs: 15,
      what: "a message to be accepted",
    });
    const at = performance.now();
    for (const [i, { n, topic }] of messages.entries()) {
      this.acknowledged.push({ n, topic, id: ids[i] ?? "", at });
    }
  }

  async #tryOnce(
    messages: readonly Outgoing[],
    attempt: number,
  ): Promise<readonly string[] | undefined> {
    const { urls, keyOf, padding, durability, replicas } = this.#options;
    const url = urls[attempt % urls.length];
    const documents = messages.map(({ n, topic }) => {
      const key = keyOf(n, attempt);
      return {
        topic,
        data: { n, ...(padding === 0 ? {} : { padding: "x".repeat(padding) }) },
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(durability === "stored" ? {} : { durability, replicas }),
      };
    });
    const answer =
      await (messages.length === 1
        ? send(`${url}/publish`, { json: documents[0] })
        : send(`${url}/batch`, { json: documents }))
        .catch(() => undefined);
    if (answer?.status === 200) return idsOf(answer);
    const what = answer === undefined ? "no answer" : `${answer.status} ${answer.body.code}`;
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
    return undefined;
  }
}

function idsOf({ body }: Answer): readonly string[] {
  // The API's contract: one id, or a result for each message of a batch.
  if (typeof body.id === "string") return [body.id];
  return (body.results as { id: string }[]).map(({ id }) => id);
}

/** Starts publishers; disposing them ends them. */
export function startPublishers(options: PublishersOptions): Publishers {
  const publishers = new Publishers(options);
  publishers.start();
  return publishers;
}
