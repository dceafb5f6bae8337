import { RunnelError } from "../errors.ts";
import { UnadoptedFailure } from "../redis/failure.ts";
import type { GroupName } from "../redis/group.ts";
import type { GroupStore } from "../redis/group_store.ts";
import { TopicPattern } from "../codec/topic_pattern.ts";

/** Versions of the pattern groups that may go by while topics are shown to them. */
const TRIES = 10;
/** Topics shown in one call. */
const TOPICS_A_CALL = 200;

/**
 * Which pattern groups consume which topic. A call that writes to a topic which some of them do not know yet is refused
 * before it does anything; the topic is shown to them, and the call is made again. So no message is published, and none
 * trimmed, that a group would not get.
 */
export class GroupIndex {
  readonly #groups: Pick<GroupStore, "patterns" | "adopt">;

  constructor(groups: Pick<GroupStore, "patterns" | "adopt">) {
    this.#groups = groups;
  }

  /**
   * Makes a call, and again where topics had to be shown to the groups first.
   *
   * @throws what the call throws otherwise
   */
  async adopting<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof UnadoptedFailure) || tries === TRIES) throw error;
        await this.adopt(error.topics);
      }
    }
  }

  /**
   * Shows topics to the pattern groups.
   *
   * @throws RedisFailure
   */
  async adopt(topics: readonly string[]): Promise<void> {
    for (let at = 0; at < topics.length; at += TOPICS_A_CALL) {
      await this.#adoptSome(topics.slice(at, at + TOPICS_A_CALL));
    }
  }

  async #adoptSome(topics: readonly string[]): Promise<void> {
    for (let tries = 1;; tries++) {
      const { version, names } = await this.#groups.patterns();
      const patterns = names.map((name) => ({ name, pattern: new TopicPattern(name.sub) }));
      try {
        const shown = topics.map((topic) => ({ topic, groups: matching(patterns, topic) }));
        return await this.#groups.adopt({ version, topics: shown });
      } catch (error) {
        const changed = error instanceof RunnelError && error.code === "groups_changed";
        if (!changed || tries === TRIES) throw error;
      }
    }
  }
}

function matching(
  patterns: readonly { name: GroupName; pattern: TopicPattern }[],
  topic: string,
): GroupName[] {
  return patterns.flatMap(({ name, pattern }) => pattern.matches(topic) ? [name] : []);
}
