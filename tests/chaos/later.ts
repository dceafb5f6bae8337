/** Delayed messages, published all the time, and whether each comes once. */
import { readHistory } from "../_support/history.ts";
import { send } from "../_support/http.ts";
import { randomSource } from "../_support/random.ts";
import { until } from "../_support/until.ts";
import type { Fault } from "../fault/verdict.ts";

/** Options of {@link startLater}. */
export interface LaterOptions {
  readonly urls: readonly string[];
  readonly topic: string;
  readonly seed: number;
  readonly patienceMs: number;
}

const LONGEST_MS = 5_000;
const DUE_MS = 60_000;
/** Where none has come for so long, the rest were lost. */
const QUIET_MS = 3 * LONGEST_MS;

/** Publishes delayed messages one after the other until it is stopped. */
export class Later implements AsyncDisposable {
  readonly #options: LaterOptions;
  readonly #accepted: string[] = [];
  readonly #stop = new AbortController();
  readonly #work: Promise<void>;

  constructor(options: LaterOptions) {
    this.#options = options;
    this.#work = this.#run();
    // whoever stops it gets the failure
    this.#work.catch(() => {});
  }

  /** How many were accepted. */
  get accepted(): number {
    return this.#accepted.length;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  /** Waits until all that was accepted is due, and says what is wrong with it. */
  async faults(): Promise<Fault[]> {
    const { urls: [url = ""], topic } = this.#options;
    let seen: string[] = [];
    let cameAt = performance.now();
    await until(async () => {
      const before = seen.length;
      // what was published here
      seen = (await readHistory(url, topic)).map(({ data }) => (data as { n: string }).n);
      if (seen.length > before) cameAt = performance.now();
      const found = new Set(seen);
      return this.#accepted.every((n) => found.has(n)) || performance.now() - cameAt > QUIET_MS;
    }, { timeoutMs: DUE_MS, everyMs: 500, what: "what is due" }).catch(() => {});
    const counts = new Map<string, number>();
    for (const n of seen) counts.set(n, (counts.get(n) ?? 0) + 1);
    return this.#accepted.flatMap((n): Fault[] => {
      const count = counts.get(n) ?? 0;
      if (count === 1) return [];
      return [{ kind: count === 0 ? "lost" : "stored twice", detail: `the delayed ${n}` }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work.catch(() => {});
  }

  async #run(): Promise<void> {
    const { urls, topic, seed, patienceMs } = this.#options;
    const random = randomSource(seed);
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      const n = `later-${i}`;
      const delayMs = 1 + Math.floor(random() ** 2 * LONGEST_MS);
      const json = { topic, data: { n }, delayMs, idempotencyKey: n };
      let attempt = 0;
      await until(async () => {
        const url = urls[attempt++ % urls.length];
        return (await send(`${url}/publish`, { json })).status === 200;
      }, { timeoutMs: patienceMs, everyMs: 15, what: "a delayed message to be accepted" });
      this.#accepted.push(n);
    }
  }
}

/** Starts to publish delayed messages; disposing it ends that. */
export function startLater(options: LaterOptions): Later {
  return new Later(options);
}
