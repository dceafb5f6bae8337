import type { Block } from "./event_parser.ts";
import { type ConnectionState, Link } from "./link.ts";
import type { Transport } from "./transport.ts";

/** What the hub tells the tabs. */
export interface HubNews {
  /** The stream runs, and has these topics and patterns: whatever comes from now on is told. */
  readonly open?: readonly string[];
  /** These cannot be had together with the others. */
  readonly refused?: readonly string[];
  readonly state?: ConnectionState;
  readonly block?: Block;
  /** Of a block that is a message. */
  readonly topic?: string | undefined;
  /** Where the stream stands after the block. */
  readonly cursor?: string;
}

/** Options of a {@link Hub}. */
export interface HubOptions {
  readonly transport: Transport;
  readonly heartbeatMs: number;
  readonly tell: (news: HubNews) => void;
}

/** The one stream of all tabs, in the tab that leads them: it has every topic that a tab wants. */
export class Hub {
  readonly #options: HubOptions;
  readonly #wishes = new Map<string, readonly string[]>();
  readonly #refused = new Set<string>();
  #link: Link | undefined;
  #asked: readonly string[] = [];
  #open: readonly string[] = [];
  #state: ConnectionState = { status: "connecting" };

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /**
   * Notes what a tab wants, and tells what there is; none where it is gone. Says whether the tab was not known. What
   * nobody wants any more goes with the next change.
   */
  want(tab: string, topics: readonly string[]): boolean {
    const isNew = !this.#wishes.has(tab) && topics.length > 0;
    if (topics.length > 0) this.#wishes.set(tab, topics);
    else this.#wishes.delete(tab);
    this.#adapt();
    // whoever asks is told, if it is only that somebody is there
    this.#options.tell({ open: this.#open, state: this.#state });
    return isNew;
  }

  /** Ends it for good. */
  close(): void {
    this.#wishes.clear();
    this.#stop();
  }

  #stop(): void {
    this.#link?.stop();
    this.#link = undefined;
    this.#open = [];
  }

  #adapt(): void {
    const wanted = this.#wanted();
    if (wanted.length === 0) this.#stop();
    else if (!this.#link) this.#start();
    else if (this.#state.status !== "live") this.#link.check();
    // the tabs of a new leader come together: while it connects they are gathered
    else if (wanted.some((topic) => !this.#asked.includes(topic))) this.#link.restart();
    else this.#link.check();
  }

  #wanted(): readonly string[] {
    const all = new Set([...this.#wishes.values()].flat());
    return [...all].filter((topic) => !this.#refused.has(topic));
  }

  #start(): void {
    const { tell, ...options } = this.#options;
    const link: Link = this.#link = new Link({
      ...options,
      query: () => {
        this.#asked = this.#wanted();
        return this.#asked.length > 0 ? { topic: this.#asked } : undefined;
      },
      take: (block, cursor) => this.#take(block, cursor),
      onState: (state) => tell({ state: this.#state = state }),
    });
    link.run().catch(() => this.#link === link && this.#refuse());
  }

  #take(block: Block, cursor: string): void {
    if (block.event === "$ready") {
      this.#options.tell({ open: this.#open = this.#asked });
      this.#adapt();
    }
    const isMessage = block.data !== undefined && !block.event?.startsWith("$");
    // the server writes nothing else
    const { topic } = isMessage ? JSON.parse(block.data) as { topic: string } : {};
    this.#options.tell({ block, cursor, topic });
  }

  /** Those who want what is new have to see for themselves; all, where nothing is. */
  #refuse(): void {
    const fresh = this.#asked.filter((topic) => !this.#open.includes(topic));
    const refused = fresh.length > 0 ? fresh : this.#asked;
    for (const topic of refused) this.#refused.add(topic);
    this.#stop();
    this.#options.tell({ refused });
    this.#adapt();
  }
}
