import { generationOf } from "../codec/id.ts";
import type { Logger } from "../log.ts";
import {
  type EphemeralFrame,
  type Frame,
  type Probe,
  readFrame,
  type WakeFrame,
} from "../redis/frame.ts";
import type { ChannelTable } from "./channel_table.ts";
import type { Inbox } from "./inbox.ts";
import type { Watchers } from "./watchers.ts";

/** What an {@link Intake} needs and tells. */
export interface IntakeOptions {
  readonly channels: ChannelTable;
  readonly watchers: Watchers;
  readonly inbox: Inbox;
  readonly log: Logger;
  /** A frame or probe came in its place. */
  readonly onNext: (next: Frame | Probe) => void;
  /** A message that is not stored came. */
  readonly onEphemeral: (frame: EphemeralFrame) => void;
  /** A frame is missing, or is another generation's. */
  readonly onBreak: (why: string) => void;
  /** Nothing more comes on this link: the partition has moved. */
  readonly onMoved: () => void;
}

/**
 * What comes on the feed's link: each payload is read, its place in the order is checked against its channel, and it
 * goes to whom it is for. Who only watches is told here, before any message is fetched.
 */
export class Intake {
  /** The generation that reigns; 0 where it is not known. */
  generation = 0;
  readonly #options: IntakeOptions;
  #lastEphemeral = "";

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes what came on a channel. */
  receive(channel: string, payload: string): void {
    const frame = this.#read(payload);
    if (frame === undefined) return;
    switch (frame.kind) {
      case "probe":
        return this.#options.onNext(frame);
      case "frame":
        return this.#takeFrame(channel, frame);
      case "ephemeral":
        return this.#takeEphemeral(channel, payload, frame);
      case "wake":
        return this.#takeWake(channel, frame);
      case "moved":
        return this.#options.onMoved();
      default:
        return this.#options.inbox.take(frame);
    }
  }

  #read(payload: string): ReturnType<typeof readFrame> | undefined {
    try {
      return readFrame(payload);
    } catch (error) {
      this.#options.log.warn("a foreign message came on Runnel's channels", { error });
      return undefined;
    }
  }

  #takeFrame(channel: string, frame: Frame): void {
    const { channels, watchers, onNext, onBreak } = this.#options;
    if (!this.#reigns(frame)) return;
    if (!this.#follow(channel, frame)) return onBreak("a frame is missing");
    // it comes on the partition's channel too, where it is known whether one of another topic is missing before it
    const { everything } = channels;
    if (everything.live && channel !== everything.name) return;
    watchers.stir(frame.topic);
    onNext(frame);
  }

  #takeWake(channel: string, frame: WakeFrame): void {
    const { channels, watchers, inbox } = this.#options;
    if (!channels.has(channel)) return inbox.take(frame);
    if (channels.everything.live && channel !== channels.everything.name) return;
    watchers.wake(frame.group, frame.due);
  }

  #reigns({ first }: Frame): boolean {
    const generation = generationOf(first);
    if (this.generation === 0 || generation === this.generation) return true;
    this.#options.onBreak("another generation reigns");
    // what comes next is of the same: were each frame a break, the tail would never be read between two of them
    this.generation = generation;
    return false;
  }

  #follow(name: string, frame: Frame): boolean {
    const { topic, last, logPrevious, topicPrevious } = frame;
    const { everything } = this.#options.channels;
    if (name === everything.name) return everything.follow({ previous: logPrevious, last });
    const channel = this.#options.channels.named(topic);
    return channel?.follow({ previous: topicPrevious, last }) ?? true;
  }

  // a process that is switching channels gets a message on both
  #takeEphemeral(channel: string, payload: string, frame: EphemeralFrame): void {
    const { everything } = this.#options.channels;
    const fromAll = channel === everything.name;
    if (!fromAll && everything.subscribed) return;
    if (fromAll && payload === this.#lastEphemeral) {
      this.#lastEphemeral = "";
      return;
    }
    this.#lastEphemeral = fromAll ? "" : payload;
    this.#options.onEphemeral(frame);
  }
}
