import { toRedisFailure } from "./failure.ts";
import type { CloseOptions, FeedLink, FeedLinkEvents } from "./feed_link.ts";

/** Opens the one connection of a {@link SharedFeed}. */
export type OpenSocket = (events: FeedLinkEvents) => Promise<FeedLink>;

/**
 * The one connection in subscriber mode that a process has to a node, shared by the feeds of all partitions there. It is
 * opened for the first link and closed after the last one.
 */
export class SharedFeed implements AsyncDisposable {
  readonly #openSocket: OpenSocket;
  #current: Line | undefined;

  constructor(openSocket: OpenSocket) {
    this.#openSocket = openSocket;
  }

  /**
   * Opens a link.
   *
   * @throws RedisFailure with the reason why it cannot be had
   */
  async open(events: FeedLinkEvents): Promise<FeedLink> {
    const line = this.#current ??= new Line(this.#openSocket, (line) => {
      if (this.#current === line) this.#current = undefined;
    });
    return await line.open(events);
  }

  /** Closes the connection; all links are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.close();
  }
}

/** One connection, from its opening to its end. */
class Line {
  readonly #socket: Promise<FeedLink>;
  readonly #onOver: (line: Line) => void;
  readonly #links = new Set<SharedLink>();
  readonly #owners = new Map<string, SharedLink>();
  #opening = 0;
  #over = false;

  constructor(openSocket: OpenSocket, onOver: (line: Line) => void) {
    this.#onOver = onOver;
    this.#socket = openSocket({
      onMessage: (channel, payload) => this.#owners.get(channel)?.onMessage(channel, payload),
      onClose: () => this.#end(),
    });
    this.#socket.catch(() => this.#end());
  }

  async open(events: FeedLinkEvents): Promise<FeedLink> {
    this.#opening++;
    try {
      await this.#socket;
    } finally {
      this.#opening--;
    }
    // it can have ended before whoever waited for it had its turn
    if (this.#over) throw toRedisFailure(new Error("Connection is closed."), false);
    const link = new SharedLink(this, events);
    this.#links.add(link);
    return link;
  }

  async subscribe(link: SharedLink, channels: readonly string[]): Promise<void> {
    // before Redis confirms: what comes right behind the confirmation is to be heard
    for (const channel of channels) this.#owners.set(channel, link);
    await (await this.#socket).subscribe(channels);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels) this.#owners.delete(channel);
    await (await this.#socket).unsubscribe(channels);
  }

  async leave(link: SharedLink, { dead = false }: CloseOptions): Promise<void> {
    if (!this.#links.delete(link) || this.#over) return;
    const socket = await this.#socket;
    if (dead || (this.#links.size === 0 && this.#opening === 0)) {
      this.#end();
      return await socket.close();
    }
    const own = [...this.#owners].flatMap(([channel, owner]) => owner === link ? [channel] : []);
    if (own.length === 0) return;
    // where the connection is gone meanwhile, so are its subscriptions
    await this.unsubscribe(own).catch(() => {});
  }

  async close(): Promise<void> {
    this.#end();
    await this.#socket.then((socket) => socket.close(), () => {});
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(this);
    const links = [...this.#links];
    this.#links.clear();
    this.#owners.clear();
    for (const link of links) link.lose();
  }
}

/** One feed's share of a connection. */
class SharedLink implements FeedLink {
  readonly #line: Line;
  readonly #events: FeedLinkEvents;
  #closed = false;

  constructor(line: Line, events: FeedLinkEvents) {
    this.#line = line;
    this.#events = events;
  }

  onMessage(channel: string, payload: string): void {
    if (!this.#closed) this.#events.onMessage(channel, payload);
  }

  /** The connection is gone. */
  lose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.onClose();
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#line.subscribe(this, channels);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#line.unsubscribe(channels);
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#line.leave(this, options);
  }
}
