/** Everything that clients do, at random, so that every kind of key is written in every way. */
import { send } from "./http.ts";

/** Options of {@link startTraffic}. */
export interface TrafficOptions {
  readonly url: string;
  readonly random: () => number;
  /** How many clients act at once. */
  readonly clients: number;
}

const TOPICS = ["orders.a", "orders.b", "alone"];
const GROUPS = [
  { topic: "alone", group: "workers" },
  { topic: "orders.a", group: "workers" },
  { topic: "orders.*", group: "pattern" },
];

/** Clients at work. */
export class Traffic implements AsyncDisposable {
  /** How many calls were answered, by what was asked. */
  readonly done = new Map<string, number>();
  /** Answers of 500 and more, but 503. */
  readonly failures: string[] = [];
  readonly #options: TrafficOptions;
  readonly #stop = new AbortController();
  readonly #tokens: string[] = [];
  readonly #requests: string[] = [];
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Begins. */
  start(): void {
    this.#work = Promise.all(Array.from({ length: this.#options.clients }, () => this.#run()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#act(this.#pick(ACTS));
    }
  }

  async #act(act: typeof ACTS[number]): Promise<void> {
    switch (act) {
      case "publish":
        return await this.#publish({});
      case "publish once":
        return await this.#publish({ idempotencyKey: `${this.#below(50)}` });
      case "publish for a while":
        return await this.#publish({ ttlMs: 1 + this.#below(5_000), key: `${this.#below(3)}` });
      case "publish much":
        return await this.#publish({ data: { pad: "x".repeat(this.#below(5_000)) } });
      case "confirm":
        return await this.#publish({ confirm: { timeoutMs: 20, subscribers: 1 } });
      case "batch": {
        const json = Array.from({ length: 1 + this.#below(20) }, () => this.#message());
        return void await this.#ask("batch", { json });
      }
      case "later": {
        const json = { ...this.#message(), delayMs: 1 + this.#below(400) };
        const { scheduled } = await this.#ask("publish", { json });
        // the API's contract
        if (scheduled !== undefined) this.#tokens.push((scheduled as { token: string }).token);
        return;
      }
      case "cancel": {
        const token = this.#tokens.pop();
        if (token !== undefined) await this.#ask(`scheduled/${token}`, { method: "DELETE" });
        return;
      }
      case "work":
        return await this.#doWork();
      case "redrive": {
        const topic = this.#pick(TOPICS);
        return void await this.#ask(`topics/${topic}/redrive`, { json: {} });
      }
      case "request": {
        const json = { topic: "alone", data: "?", timeoutMs: 50 };
        return void await this.#ask("request", { json });
      }
      case "reply": {
        const replyTo = this.#requests.pop();
        if (replyTo !== undefined) await this.#ask("reply", { json: { replyTo, data: "!" } });
        return;
      }
      case "keep":
        return void await this.#ask(`topics/${this.#pick(TOPICS)}`, {
          method: "PUT",
          json: { maxMessages: this.#below(3) === 0 ? null : 20 + this.#below(100) },
        });
      case "change a group": {
        const { topic, group } = this.#pick(GROUPS);
        const path = `topics/${topic}/groups/${group}`;
        const method = this.#below(3) === 0 ? "DELETE" : "PUT";
        const json = { maxDeliveries: 1 + this.#below(4), since: "earliest" };
        return void await this.#ask(path, { method, ...(method === "PUT" ? { json } : {}) });
      }
      case "delete": {
        const topic = this.#pick(TOPICS);
        return void await this.#ask(`topics/${topic}`, { method: "DELETE" });
      }
    }
  }

  async #publish(fields: Record<string, unknown>): Promise<void> {
    await this.#ask("publish", { json: { ...this.#message(), ...fields } });
  }

  async #doWork(): Promise<void> {
    const names = this.#pick(GROUPS);
    const consumer = `c${this.#below(3)}`;
    const max = 1 + this.#below(10);
    const pulled = await this.#ask("pull", {
      json: { ...names, consumer, max, leaseMs: 1_000 + this.#below(2_000), waitMs: 0 },
    });
    // the API's contract
    const messages = (pulled.messages ?? []) as { id: string; replyTo?: string }[];
    for (const { replyTo } of messages) if (replyTo !== undefined) this.#requests.push(replyTo);
    if (messages.length === 0) return;
    const ids = messages.map(({ id }) => id);
    const outcome = this.#pick(["ack", "nack", "extend", "nothing"]);
    if (outcome === "nothing") return;
    const times = outcome === "ack" ? {} : { [outcome === "nack" ? "delayMs" : "leaseMs"]: 1_500 };
    await this.#ask("ack", { json: { ...names, ids, outcome, lease: pulled.lease, ...times } });
  }

  async #ask(
    path: string,
    options: { method?: string; json?: unknown },
  ): Promise<Record<string, unknown>> {
    const { status, body } = await send(`${this.#options.url}/${path}`, options);
    const what = path.split("/")[0] ?? "";
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
    if (status >= 500 && status !== 503 && status !== 504) {
      this.failures.push(`${status} ${JSON.stringify(body)}`);
    }
    return body;
  }

  #message(): { topic: string; data: unknown } {
    return { topic: this.#pick(TOPICS), data: this.#below(1_000) };
  }

  #below(limit: number): number {
    return Math.floor(this.#options.random() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[this.#below(list.length)];
    if (one === undefined) throw new TypeError("Cannot pick: the list is empty");
    return one;
  }
}

const ACTS = [
  "publish",
  "publish",
  "publish once",
  "publish for a while",
  "publish much",
  "confirm",
  "batch",
  "later",
  "later",
  "cancel",
  "work",
  "work",
  "work",
  "redrive",
  "request",
  "reply",
  "keep",
  "change a group",
  "delete",
] as const;

/** Starts clients; disposing them ends them. */
export function startTraffic(options: TrafficOptions): Traffic {
  const traffic = new Traffic(options);
  traffic.start();
  return traffic;
}
