import { groupKey, type GroupName } from "../redis/group.ts";
import type { Feed } from "./feed.ts";
import { TopicFilter } from "./topic_filter.ts";
import { type Place, WaitingLine } from "./waiting_line.ts";

/** Options of {@link GroupWaiters}. */
export interface GroupWaitersOptions {
  readonly feed: Pick<Feed, "acquire" | "release" | "watch" | "attend" | "online">;
  /** Redis's time, in milliseconds since 1970. */
  readonly now: () => number;
}

/** Who waits in this process for work of which group: a line for each group, for as long as somebody is in it. */
export class GroupWaiters implements AsyncDisposable {
  readonly #options: GroupWaitersOptions;
  readonly #lines = new Map<string, WaitingLine>();
  readonly #closing = new Set<Promise<void>>();
  #stopAttending: (() => void) | undefined;

  constructor(options: GroupWaitersOptions) {
    this.#options = options;
  }

  /** Takes a place in a group's line, to be given back by {@link Place.leave}. */
  enter(name: GroupName): Place {
    const group = groupKey(name);
    let line = this.#lines.get(group);
    if (line === undefined) this.#lines.set(group, line = this.#open(group, name));
    return line.enter();
  }

  /**
   * Sees to it that a consumer of this process that holds as much as it may is told when it has room again.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async heedRoom(signal: AbortSignal): Promise<void> {
    const { feed } = this.#options;
    this.#stopAttending ??= feed.attend({
      onWake: (group) => this.#lines.get(group)?.onRoom(),
      onOnline: () => {
        for (const line of this.#lines.values()) line.onRoom();
      },
    });
    await feed.online(signal);
  }

  /** Stops listening. Who still waits is told nothing any more: they must have been sent away before. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopAttending?.();
    for (const [group, line] of this.#lines) this.#close(group, line);
    await Promise.all(this.#closing);
  }

  #open(group: string, { sub }: GroupName): WaitingLine {
    const { feed, now } = this.#options;
    const line: WaitingLine = new WaitingLine({
      group,
      filter: new TopicFilter([sub]),
      feed,
      now,
      onEmpty: () => this.#close(group, line),
    });
    return line;
  }

  #close(group: string, line: WaitingLine): void {
    this.#lines.delete(group);
    const closed = line.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
