import type { Position } from "../redis/position.ts";
import type { Channel } from "./channel.ts";
import type { ChannelTable } from "./channel_table.ts";
import type { FeedLine } from "./feed_line.ts";

/** Options of {@link ChannelUpkeep}. */
export interface ChannelUpkeepOptions {
  readonly channels: ChannelTable;
  readonly line: FeedLine;
  /** How long a channel nobody wants is kept, in milliseconds. */
  readonly lingerMs: number;
  /** Reads where the partition and topics stand. */
  readonly position: (topics: readonly string[]) => Promise<Position>;
  /** A tail was read that nothing has overtaken; may find that another generation reigns. */
  readonly onTail: (tail: Position) => void;
  /** Some channels are live now. */
  readonly onLive: () => void;
}

/** Channels that go live in one step: the script that reads their tails takes no more. */
const CHANNELS_A_STEP = 2_000;

/** Subscribes the channels that are wanted and lets go of the others, one step at a time. */
export class ChannelUpkeep {
  readonly #options: ChannelUpkeepOptions;
  #epoch = 0;

  constructor(options: ChannelUpkeepOptions) {
    this.#options = options;
  }

  /** What was known of the channels holds no more, what is being read of them neither. */
  reset(options: { link: boolean }): void {
    this.#epoch++;
    this.#options.channels.reset(options);
  }

  /**
   * Makes some of the wanted channels live, and gives up those that nobody has wanted for long.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  async step(): Promise<void> {
    const missing = this.#options.channels.missing(CHANNELS_A_STEP);
    if (missing.length > 0) await this.#goLive(missing);
    await this.#dropIdle();
  }

  async #goLive(missing: readonly Channel[]): Promise<void> {
    const { line, position, onTail, onLive } = this.#options;
    const epoch = this.#epoch;
    const fresh = missing.filter(({ subscribed }) => !subscribed);
    if (fresh.length > 0) await line.subscribe(fresh.map((channel) => channel.name));
    if (epoch !== this.#epoch) return;
    for (const channel of fresh) channel.subscribed = true;
    const tail = await position(missing.flatMap(({ topic }) => topic === undefined ? [] : [topic]));
    if (epoch !== this.#epoch) return;
    onTail(tail);
    let i = 0;
    for (const channel of missing) {
      const { topic } = channel;
      channel.start(topic === undefined ? tail.clock : tail.topics[i++]?.last ?? tail.purged);
    }
    onLive();
  }

  async #dropIdle(): Promise<void> {
    const { channels, line, lingerMs } = this.#options;
    const idle = channels.idle(performance.now() - lingerMs);
    const needed = idle.includes(channels.everything)
      ? channels.servedByEverything(CHANNELS_A_STEP)
      : [];
    if (needed.length > 0) return await this.#goLive(needed);
    if (idle.length === 0) return channels.prune();
    // at once, before anything is waited for: nobody may join a channel that is about to go
    channels.resetSome(idle, { link: true });
    await line.unsubscribe(idle.map((channel) => channel.name));
    // frames that came until then would look like the last one before those of the next subscription
    channels.resetSome(idle, { link: true });
    channels.prune();
  }
}
