import { Link } from "../../client/link.ts";
import { Transport } from "../../client/transport.ts";
import type { Api } from "../api.ts";
import { FilteredRows, messageFilter } from "./message_filter.ts";
import { readMessage } from "./raw_message.ts";
import { TailBuffer, type TailRow } from "./tail_buffer.ts";
import { byeText, faultOf, type StreamFault } from "./tail_words.ts";

/** How it stands with a tail's stream. */
export type TailState =
  | { readonly kind: "connecting" | "live" }
  /** It broke, and is opened again at `retryAt`, on this computer's clock. */
  | { readonly kind: "waiting"; readonly retryAt: number; readonly text: string }
  | { readonly kind: "closed"; readonly fault?: StreamFault };

const HEARTBEAT_MS = 15_000;
/** How much is kept while a tail is paused: less than it keeps itself, so that there is room to say what is missing. */
const HELD_LIMITS = { rows: 9_000, characters: 16 << 20 };

/** A topic's messages as they come: one stream, what is kept of it, and what of that is shown. */
export class Tail {
  /** What is kept. */
  readonly rows = new TailBuffer();
  /** What is shown of it. */
  readonly shown: FilteredRows = new FilteredRows(this.rows);
  state: TailState = { kind: "connecting" };
  /** What {@link filter} was given. */
  filterText = "";
  /** Messages since the tail was started. */
  received = 0;
  readonly #api: Api;
  readonly #topic: string;
  readonly #changed: () => void;
  #held: TailBuffer | undefined;
  #link: Link | undefined;
  #isBroken = false;

  /** @param changed called after each change, which may be thousands of times a second */
  constructor(
    { api, topic, changed }: {
      readonly api: Api;
      readonly topic: string;
      readonly changed: () => void;
    },
  ) {
    this.#api = api;
    this.#topic = topic;
    this.#changed = changed;
  }

  /** Whether what comes is held back. */
  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** Messages that came since it was paused. */
  get held(): number {
    return this.#held === undefined ? 0 : this.#held.length + this.#held.dropped;
  }

  /** Forgets what there is, and follows the topic from another place on: what `since` of a subscription may be. */
  start(since: string): void {
    this.stop();
    this.rows.clear();
    this.shown.reset();
    this.#held = undefined;
    this.#isBroken = false;
    this.received = 0;
    const { base, token } = this.#api;
    const link = this.#link = new Link({
      transport: new Transport({ url: base, token }),
      query: () => ({ topic: this.#topic, since }),
      heartbeatMs: HEARTBEAT_MS,
      take: ({ event, data }) => {
        if (this.#link === link && data !== undefined) this.#take(event, data);
      },
      onState: (state) => {
        if (this.#link !== link) return;
        if (state.status === "waiting") this.#break(state.error.message, state.retryAt);
        else if (state.status === "live") this.#mend();
        else if (state.status === "connecting" && !this.#isBroken) {
          this.#set({ kind: "connecting" });
        }
      },
    });
    this.#set({ kind: "connecting" });
    link.run().then(() => this.#end(link), (error: unknown) => this.#end(link, error));
  }

  /** Ends the stream. */
  stop(): void {
    this.#link?.stop();
    this.#link = undefined;
  }

  /** Tries a broken stream again at once. */
  retry(): void {
    this.#link?.check();
  }

  /** Holds back what comes from now on. */
  pause(): void {
    this.#held ??= new TailBuffer(HELD_LIMITS);
    this.#changed();
  }

  /** Shows what was held back. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    if (held.dropped > 0) {
      const count = held.dropped.toLocaleString("en");
      this.#note(`${count} messages are not shown here: more came than a pause can hold`);
    }
    for (let i = held.first; i < held.end; i++) {
      const row = held.at(i);
      if (row !== undefined) this.rows.push(row);
    }
    this.#changed();
  }

  /** Forgets what there is, and goes on. */
  clear(): void {
    this.rows.clear();
    this.shown.reset();
    if (this.#held !== undefined) this.#held = new TailBuffer(HELD_LIMITS);
    this.#changed();
  }

  /** Shows only messages with this text in them; empty for all. */
  filter(text: string): void {
    this.filterText = text;
    this.shown.use(messageFilter(text));
    this.#changed();
  }

  #take(event: string | undefined, data: string): void {
    switch (event) {
      case "$ready":
        return;
      case "$gap":
        return this.#push({ kind: "gap", reason: JSON.parse(data).reason, at: this.#now() });
      case "$bye":
        return this.#note(byeText(JSON.parse(data).reason));
      case "$auth-expiring": {
        const seconds = Math.round(JSON.parse(data).in / 1000);
        return this.#note(`The credential that opened this stream ends in ${seconds} s`);
      }
    }
    if (event?.startsWith("$")) return;
    this.received++;
    this.#push({ kind: "message", message: readMessage(data) });
  }

  #break(text: string, retryAt: number): void {
    if (!this.#isBroken) this.#note(`Not connected: ${text}`);
    this.#isBroken = true;
    this.#set({ kind: "waiting", retryAt, text });
  }

  #mend(): void {
    if (this.#isBroken) this.#note("Connected again, and went on from the last message seen");
    this.#isBroken = false;
    this.#set({ kind: "live" });
  }

  #end(link: Link, error?: unknown): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#set({ kind: "closed", ...(error === undefined ? {} : { fault: faultOf(error) }) });
  }

  #note(text: string): void {
    this.#push({ kind: "notice", text, at: this.#now() });
  }

  #now(): number {
    return this.#api.clock.now();
  }

  #push(row: TailRow): void {
    (this.#held ?? this.rows).push(row);
    this.#changed();
  }

  #set(state: TailState): void {
    this.state = state;
    this.#changed();
  }
}
