import { type Block, EventParser } from "./event_parser.ts";
import { isVisible, onPage, SLEEPING, WAKING } from "./page.ts";
import { passing, RunnelError } from "./runnel_error.ts";
import type { Query, Transport } from "./transport.ts";
import { backoff, onAbort, wait } from "./wait.ts";

/**
 * What a connection light shows. `connecting`: asked, not answered yet. `live`: the server has said `$ready` and has been
 * heard within two heartbeats. `waiting`: broken, tried again at `retryAt` (milliseconds since 1970). `closed`: over, for
 * `error` where it is one that trying again cannot cure.
 */
export type ConnectionState =
  | { readonly status: "connecting" | "live" }
  | { readonly status: "waiting"; readonly retryAt: number; readonly error: RunnelError }
  | { readonly status: "closed"; readonly error?: unknown };

/** Options of a {@link Link}. */
export interface LinkOptions {
  readonly transport: Transport;
  /** What to ask for now; undefined where nothing is left to be had. */
  readonly query: () => Query | undefined;
  /** Takes a block; while it does so, nothing more is read. `cursor` is where the stream stands after it. */
  readonly take: (block: Block, cursor: string) => void | Promise<void>;
  readonly onState: (state: ConnectionState) => void;
  /** Time between the server's heartbeats, in milliseconds. */
  readonly heartbeatMs: number;
  /** Where to start. @default where the query says */
  readonly cursor?: string;
  /** The browser's EventSource in place of fetch, with the types that are listened for. @default fetch */
  readonly eventSource?: readonly string[] | undefined;
}

const LONGEST_MS = 30_000;
/** As long as a timer can be. */
const FOREVER_MS = 2 ** 31 - 1;

/** A stream that is opened again after every break, from where it stood. */
export class Link {
  /** Where it stands; empty before the server has said. */
  cursor: string;
  readonly #options: LinkOptions;
  #over = false;
  #cut = new AbortController();
  #pause = new AbortController();
  #retryMs = 1_000;
  #failures = 0;
  #wasLive = false;
  #isLive = false;
  #heard = 0;
  #taking = false;
  #asleep = false;
  #byeMs: number | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.cursor = options.cursor ?? "";
  }

  /**
   * Reads until there is nothing left to be had, or it is stopped.
   *
   * @throws {RunnelError} when the server refuses for good.
   */
  async run(): Promise<void> {
    const { query, onState } = this.#options;
    const unwake = onPage(
      [...WAKING, "online", "visibilitychange"],
      // a page that is put aside is hidden after that
      () => (!this.#asleep || isVisible()) && this.check(),
    );
    const unsleep = onPage(SLEEPING, () => this.#sleep());
    try {
      let changed = false;
      for (let asked = query(); asked && !this.#over; asked = query()) {
        if (!changed) onState({ status: "connecting" });
        const error = await this.#follow(asked);
        // what went wrong at a stream that is complete does not matter
        if (this.#over || !query()) return;
        changed = !error;
        if (!error) continue;
        const delay = this.#asleep ? FOREVER_MS : this.#byeMs ??
          Math.max(error.retryAfterMs, backoff(this.#failures, this.#retryMs, LONGEST_MS));
        this.#pause = new AbortController();
        onState({ status: "waiting", retryAt: Date.now() + delay, error });
        await wait(delay, this.#pause.signal);
      }
    } finally {
      unwake();
      unsleep();
    }
  }

  /** Ends it. */
  stop(): void {
    this.#over = true;
    this.restart();
  }

  /** Opens it again at once, for another query. */
  restart(): void {
    this.#cut.abort();
    this.#pause.abort();
  }

  /** Looks whether it still lives, where there is a reason to doubt it, and does not wait any longer. */
  check(): void {
    this.#asleep = false;
    this.#pause.abort();
    if (Date.now() - this.#heard > this.#options.heartbeatMs * 1.2) this.#silent();
  }

  /** Undefined where it was cut for another query. */
  async #follow(query: Query): Promise<RunnelError | undefined> {
    const cut = this.#cut = new AbortController();
    const { heartbeatMs, eventSource } = this.#options;
    this.#heard = Date.now();
    this.#isLive = false;
    this.#byeMs = undefined;
    // by the clock, since timers stand still while a computer sleeps; an EventSource tells nothing of heartbeats
    const watchdog = setInterval(() => {
      const most = this.#isLive ? heartbeatMs * 2 : heartbeatMs;
      if (Date.now() - this.#heard > most) this.#silent();
    }, heartbeatMs / 8);
    try {
      if (eventSource) await this.#listen(query, eventSource, cut.signal);
      else await this.#read(query, cut.signal);
      if (this.#byeMs === undefined) this.#failures++;
      return passing("cut", "The stream ended");
    } catch (error) {
      if (cut.signal.aborted && !(cut.signal.reason instanceof RunnelError)) return undefined;
      const known = cut.signal.aborted ? cut.signal.reason : error;
      this.#failures++;
      if (known instanceof RunnelError && this.#isCurable(known)) return known;
      throw known;
    } finally {
      clearInterval(watchdog);
      cut.abort();
    }
  }

  #isCurable({ retryable, status, code }: RunnelError): boolean {
    const { token } = this.#options.transport;
    // what has worked may be refused for a while by whoever stands before the server; a new token may be good
    const isPassing = status >= 500 ||
      (code === "bad_answer" && (status === 403 || status === 404)) ||
      (status === 401 && typeof token === "function" && this.#failures < 3);
    return retryable || (this.#wasLive && isPassing);
  }

  /** A page that is put aside keeps no connection; it would be of no use when it comes back, and keep it from that. */
  #sleep(): void {
    this.#asleep = true;
    this.#cut.abort(passing("asleep", "The page sleeps"));
  }

  #silent(): void {
    if (this.#taking || this.#options.eventSource) return;
    this.#cut.abort(passing("silent", "Nothing was heard of the server"));
  }

  async #read(query: Query, signal: AbortSignal): Promise<void> {
    const headers = { accept: "text/event-stream", "last-event-id": this.cursor };
    const { transport } = this.#options;
    const { body, status } = await transport.open("subscribe", { query, headers, signal });
    if (status === 204 || !body) return this.stop();
    const reader = body.getReader();
    const parser = new EventParser();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause) => {
          throw passing("cut", "The stream was cut", cause);
        });
        if (done) return;
        this.#heard = Date.now();
        for (const block of parser.push(value)) await this.#take(block, signal);
      }
    } finally {
      reader.cancel().catch(() => {}); // it was cut
    }
  }

  #listen(query: Query, types: readonly string[], signal: AbortSignal): Promise<void> {
    const { transport } = this.#options;
    const address = transport.address("subscribe", {
      ...query,
      lastEventId: this.cursor,
    });
    const source = new EventSource(address, {
      withCredentials: transport.credentials === "include",
    });
    let taken = Promise.resolve();
    return new Promise<void>((resolve, reject) => {
      const take = ({ type, data, lastEventId: id }: MessageEvent) => {
        const block = { data, id, event: type === "message" ? undefined : type };
        taken = taken.then(() => this.#take(block, signal)).catch(reject);
      };
      for (const type of ["message", "$ready", "$gap", "$bye", "$auth-expiring", ...types]) {
        source.addEventListener(type, take);
      }
      source.onerror = () => void taken.then(resolve);
      onAbort(signal, () => reject(signal.reason));
    }).finally(() => source.close());
  }

  async #take(block: Block, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (block.retry !== undefined) this.#retryMs = block.retry;
    if (block.id) this.cursor = block.id;
    if (block.event === "$ready") {
      this.#isLive = this.#wasLive = true;
      this.#failures = 0;
      this.#options.onState({ status: "live" });
    } else if (block.event === "$bye") this.#byeMs = JSON.parse(block.data ?? "{}").retryMs;
    const taking = this.#options.take(block, this.cursor);
    if (!taking) return;
    this.#taking = true;
    try {
      await taking;
    } finally {
      this.#taking = false;
      this.#heard = Date.now();
    }
    signal.throwIfAborted();
  }
}
