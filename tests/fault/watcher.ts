/** A subscriber that behaves as a browser does, and remembers everything it was given. */
import { openStream, type ReceivedMessage, type SseBlock } from "../_support/sse.ts";
import { until } from "../_support/until.ts";

/** A message as a watcher saw it. */
export interface Seen {
  readonly id: string;
  readonly topic: string;
  readonly n: string;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number;
}

/** Options of {@link watch}. */
export interface WatcherOptions {
  /** Where to subscribe; it turns to the next when a stream ends. */
  readonly urls: readonly string[];
  /** Topics and patterns of the subscription. */
  readonly topics: readonly string[];
  /** The topics that these match. @default topics */
  readonly expects?: readonly string[];
  /** After how many events it drops the connection, asked anew for each connection. @default never */
  readonly dropAfter?: () => number;
  /** Whether it comes back with the last event id; a cure that a twin turns off. @default true */
  readonly resumes?: boolean;
  /** How long nothing at all may come, in milliseconds. @default 10000 */
  readonly silenceMs?: number;
  /** How long a stream may be refused, in milliseconds. @default 20000 */
  readonly patienceMs?: number;
}

/** A running watcher. */
export class Watcher implements AsyncDisposable {
  /** In the order in which they came. */
  readonly seen: Seen[] = [];
  /** The data of each `$gap`, and how many messages had been seen then. */
  readonly gaps: (Record<string, unknown> & { readonly seen: number })[] = [];
  /** The data of each `$bye`. */
  readonly byes: Record<string, unknown>[] = [];
  /** Why streams were not opened. */
  readonly refusals: string[] = [];
  /** Streams asked for so far. */
  connections = 0;
  /** What a browser would send as `Last-Event-ID` now. */
  lastEventId = "";
  readonly #ids = new Set<string>();
  readonly #options: WatcherOptions;
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #work: Promise<void> | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** What it is called in reports. */
  get name(): string {
    return this.#options.topics.join(",");
  }

  /** The topics whose messages it must see. */
  get expects(): readonly string[] {
    return this.#options.expects ?? this.#options.topics;
  }

  /** Whether it never leaves by itself. */
  get stays(): boolean {
    return this.#options.dropAfter === undefined;
  }

  /** Begins to watch; resolves at the first `$ready`. */
  async start(): Promise<void> {
    this.#work = this.#run();
    await Promise.race([this.#ready.promise, this.#work]);
  }

  /** Whether it was given a message. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Ends it; rejects where it could not go on. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const stream = await this.#open();
      if (stream === undefined) return;
      await using _ = stream;
      let left = this.#options.dropAfter?.() ?? Infinity;
      try {
        while (left > 0) {
          const block = await stream.nextBlock(this.#options.silenceMs ?? 10_000);
          if (block === undefined) break;
          this.lastEventId = block.id === "" ? this.lastEventId : block.id;
          if (this.#take(block)) left--;
        }
      } catch {
        // The connection broke, or nothing came: as a browser, it connects again.
      }
    }
  }

  async #open() {
    const { urls, topics, resumes = true, patienceMs = 20_000 } = this.#options;
    const query = new URLSearchParams(topics.map((topic) => ["topic", topic]));
    return await until(async () => {
      if (this.#stop.signal.aborted) return "stopped" as const;
      const headers: Record<string, string> = resumes && this.lastEventId !== ""
        ? { "last-event-id": this.lastEventId }
        : {};
      return await openStream(`${urls[this.connections++ % urls.length]}/subscribe?${query}`, {
        headers,
        signal: this.#stop.signal,
      }).catch((error) => {
        this.refusals.push(`${error.message}`);
        throw error;
      });
    }, { timeoutMs: patienceMs, everyMs: 15, what: "a stream to open" })
      .then((stream) => stream === "stopped" ? undefined : stream);
  }

  #take(block: SseBlock): boolean {
    if (block.data === undefined) return false;
    const data = JSON.parse(block.data);
    if (block.event === "$gap") this.gaps.push({ ...data, seen: this.seen.length });
    if (block.event === "$bye") this.byes.push(data);
    if (block.event === "$ready") this.#ready.resolve();
    if (block.event.startsWith("$")) return false;
    const { id, topic, data: payload } = data as ReceivedMessage;
    // What the publishers of these tests send.
    const { n } = payload as { n: string };
    this.seen.push({ id: `${id}`, topic, n, at: performance.now() });
    this.#ids.add(`${id}`);
    return true;
  }
}

/** Starts a watcher and waits until its stream is ready. */
export async function watch(options: WatcherOptions): Promise<Watcher> {
  const watcher = new Watcher(options);
  await watcher.start();
  return watcher;
}

/** What the publishers of these tests publish to. */
export const TOPICS = ["orders.a", "orders.b", "alone", "other"] as const;

/** One subscription each of a single topic, several topics, a pattern, and a mix of both. */
export const CROWD: readonly Pick<WatcherOptions, "topics" | "expects">[] = [
  { topics: ["alone"] },
  { topics: ["other", "alone"] },
  { topics: ["orders.*"], expects: ["orders.a", "orders.b"] },
  { topics: ["alone", "orders.*"], expects: ["alone", "orders.a", "orders.b"] },
];

/** Watchers that are closed together. */
export interface Crowd extends AsyncDisposable {
  readonly watchers: readonly Watcher[];
}

/** Starts two watchers of each kind: one that stays, and one that leaves and comes back again and again. */
export async function watchAll(
  kinds: readonly Pick<WatcherOptions, "topics" | "expects">[],
  { random, ...options }: Omit<WatcherOptions, "topics" | "expects"> & { random: () => number },
): Promise<Crowd> {
  // short and long stays, so that whoever leaves often is no slower in the end than publishers are
  const dropAfter = () => 1 + Math.floor(random() ** 3 * 500);
  const all = kinds.flatMap((kind) => [
    new Watcher({ ...options, ...kind }),
    new Watcher({ dropAfter, ...options, ...kind }),
  ]);
  const close = async () => {
    await Promise.all(all.map((watcher) => watcher[Symbol.asyncDispose]()));
  };
  await using stack = new AsyncDisposableStack();
  stack.defer(close);
  await Promise.all(all.map((watcher) => watcher.start()));
  stack.move();
  return { watchers: all, [Symbol.asyncDispose]: close };
}
