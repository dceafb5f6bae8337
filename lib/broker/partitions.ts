import { partitionOf, partitionOfPattern } from "../codec/partition_of.ts";
import { RunnelError } from "../errors.ts";
import type { Deployment, Layout, ShardState } from "../redis/deployment.ts";
import { Partition, type PartitionSettings } from "./partition.ts";
import type { SecretSource } from "./subscription_names.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { isPattern, TopicPattern } from "../codec/topic_pattern.ts";

/** Options of {@link Partitions}. */
export interface PartitionsOptions extends PartitionSettings {
  readonly deployment: Deployment;
  /** Partitions were split: whoever uses the set of before has to end. */
  readonly onReplaced: (before: PartitionSet) => void;
}

/** All partitions as they are at one time. */
export class PartitionSet {
  readonly all: readonly Partition[];

  constructor(all: readonly Partition[]) {
    this.all = all;
  }

  /** The partition of a topic. */
  of(topic: string): Partition {
    return this.#at(partitionOf(topic, this.all.length));
  }

  /** The partitions that a topic or pattern can be in. */
  spannedBy(sub: string): readonly Partition[] {
    if (!isPattern(sub)) return [this.of(sub)];
    const only = partitionOfPattern(new TopicPattern(sub).prefix, this.all.length);
    return only === undefined ? this.all : [this.#at(only)];
  }

  /** The partitions that a filter spans, each with the part of the filter that concerns it. */
  split(filter: TopicFilter): { partition: Partition; filter: TopicFilter }[] {
    if (this.all.length === 1) return [{ partition: this.#at(0), filter }];
    const names = new Map<Partition, string[]>();
    const subs = [...filter.topics, ...filter.patterns.map(({ text }) => text)];
    for (const sub of subs) {
      for (const partition of this.spannedBy(sub)) {
        const own = names.get(partition);
        if (own === undefined) names.set(partition, [sub]);
        else own.push(sub);
      }
    }
    return [...names]
      .sort(([a], [b]) => a.number - b.number)
      .map(([partition, own]) => ({ partition, filter: filter.only(own) }));
  }

  #at(number: number): Partition {
    const partition = this.all[number];
    if (partition === undefined) throw new RunnelError("internal");
    return partition;
  }
}

/** The partitions of a deployment, as this process works with them. */
export class Partitions implements SecretSource {
  readonly #options: PartitionsOptions;
  readonly #stopListening: () => void;
  #sites: Layout["sites"] | undefined;
  #set: PartitionSet | undefined;

  constructor(options: PartitionsOptions) {
    this.#options = options;
    this.#stopListening = options.deployment.onChange(() => {
      if (this.#set !== undefined) void this.current().catch(() => {});
    });
  }

  /**
   * The partitions as they are now.
   *
   * @throws RedisFailure where that is not known yet and Redis cannot be reached
   */
  async current(): Promise<PartitionSet> {
    return this.#of(await this.#options.deployment.open());
  }

  /** What {@link current} gives, where it need not be waited for. */
  opened(): PartitionSet | undefined {
    const layout = this.#options.deployment.opened();
    return layout === undefined ? undefined : this.#of(layout);
  }

  /** The partitions that are known; undefined where nothing was asked of Redis yet. */
  get known(): PartitionSet | undefined {
    return this.#set;
  }

  /** The Redis servers, and which partitions are on each. */
  get shards(): readonly ShardState[] {
    return this.#options.deployment.shards;
  }

  async secret(): Promise<string> {
    return (await this.#options.deployment.open()).secret;
  }

  renew(): Promise<void> {
    return this.#options.deployment.renew();
  }

  /** Heeds no change of the layout any more. */
  [Symbol.dispose](): void {
    this.#stopListening();
  }

  #of(layout: Layout): PartitionSet {
    if (this.#set !== undefined && this.#sites === layout.sites) return this.#set;
    return this.#replace(layout);
  }

  #replace(layout: Layout): PartitionSet {
    const before = this.#set;
    const { partitions, sites } = layout;
    this.#sites = sites;
    const { deployment: _, onReplaced, ...settings } = this.#options;
    this.#set = new PartitionSet(
      sites.map((site, number) => new Partition({ ...settings, site, number, partitions })),
    );
    if (before !== undefined) onReplaced(before);
    return this.#set;
  }
}
