import type { HubNews } from "./hub.ts";
import type { ConnectionState } from "./link.ts";
import { itemOf, OwnStream, type OwnStreamOptions } from "./own_stream.ts";
import { Position } from "./position.ts";
import type { Sink, Source } from "./subscription.ts";
import type { Member, Tabs } from "./tabs.ts";
import { topicMatch } from "./topic_match.ts";

/** News that may wait for a subscription that is busy; with more it reads for itself, at its own pace. */
const NEWS_MOST = 500;
const CONNECTING: ConnectionState = { status: "connecting" };

/**
 * A subscription's part of the stream that all tabs share. That stream is a live feed and no more: the subscription has a
 * cursor of its own, and whenever it may have missed something (at its start, with a new leader, after a sleep, behind a
 * `$gap`, when it lags) it notes what is told from then on, reads what lies between by a short request (`wait=0`) from its
 * cursor, and leaves out of its notes what it has got by that.
 */
export class SharedStream implements Source, Member {
  readonly topics: readonly string[];
  readonly #tabs: Tabs;
  readonly #options: OwnStreamOptions;
  readonly #matches: (topic: string) => boolean;
  /** What it reads by itself. */
  #own: OwnStream | undefined;
  #cursor = "";
  #news: HubNews[] = [];
  #state: ConnectionState = CONNECTING;
  /** Whether it is told everything. */
  #attached = false;
  /** Whether it has to read for itself before it goes on with the news. */
  #behind = true;
  #alone = false;
  #over = false;
  #wake = () => {};

  constructor(
    tabs: Tabs,
    { topics, ...options }: OwnStreamOptions & { readonly topics: readonly string[] },
  ) {
    this.topics = topics;
    this.#tabs = tabs;
    this.#options = options;
    this.#matches = topicMatch(topics);
  }

  hear(news: HubNews): void {
    const { open, refused, state, block, topic } = news;
    if (state) this.#state = state;
    if (refused?.some((topic) => this.topics.includes(topic))) this.#alone = true;
    if (open && this.topics.every((topic) => open.includes(topic))) this.#attached = true;
    if (block && this.#attached && (topic === undefined || this.#matches(topic))) {
      // what a gap is about lies maybe behind this subscription's own cursor
      if (block.event === "$gap" || this.#news.length > NEWS_MOST) this.#fallBehind();
      else if (block.event !== "$ready") this.#news.push(news);
    }
    this.#wake();
  }

  miss(): void {
    this.#attached = false;
    this.#fallBehind();
    this.#wake();
  }

  stop(): void {
    this.#over = true;
    this.#own?.stop();
    this.#wake();
  }

  async run(sink: Sink): Promise<void> {
    this.#tabs.add(this);
    try {
      while (!this.#over && !this.#alone) {
        if (!this.#attached) {
          sink.state(CONNECTING);
          await this.#woken();
        } else if (this.#behind) await this.#catchUp(sink);
        else await this.#follow(sink);
      }
    } finally {
      this.#tabs.delete(this);
    }
    if (!this.#over) await this.#read({}, sink);
  }

  #fallBehind(): void {
    this.#behind = true;
    this.#news = [];
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async #read(query: { readonly wait?: number }, sink: Sink): Promise<void> {
    const options = this.#options;
    const own = this.#own = new OwnStream({
      ...options,
      query: { ...options.query, ...query },
      cursor: this.#cursor,
    });
    await own.run(sink);
    this.#cursor = own.cursor;
  }

  /** Reads what lies between the cursor and now. */
  async #catchUp(sink: Sink): Promise<void> {
    this.#fallBehind();
    this.#behind = false;
    await this.#read({ wait: 0 }, {
      push: (item) => item.event?.event === "$bye" ? undefined : sink.push(item),
      state: (state) => state.status !== "live" && sink.state(state),
    });
  }

  async #follow(sink: Sink): Promise<void> {
    const position = new Position(this.#cursor);
    let shown: ConnectionState | undefined;
    while (this.#attached && !this.#behind && !this.#alone && !this.#over) {
      if (shown !== this.#state) sink.state(shown = this.#state);
      const { block, cursor = "" } = this.#news.shift() ?? {};
      if (!block) {
        await this.#woken();
        continue;
      }
      const at = new Position(cursor);
      const item = itemOf(block, cursor);
      const id = item.message?.id;
      const isNew = !id || position.isBefore(id, at);
      if (isNew) {
        position.advance(at, id);
        this.#cursor = position.text;
        await sink.push({ ...item, cursor: this.#cursor });
      } // the partitions are others now
      else if (isNew === undefined) this.#behind = true;
    }
  }
}
