import { RunnelError } from "../errors.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Outcome } from "./commit_plan.ts";
import type { Partition } from "./partition.ts";
import type { Partitions, PartitionSet } from "./partitions.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { UnderWay } from "./under_way.ts";
import { pause } from "./wait.ts";

/** What became of a published message. `id` is null where it was ephemeral, or is kept for later. */
export type PublishOutcome =
  | { readonly id: null; readonly duplicate: boolean; readonly scheduled?: undefined }
  | Outcome;

/** How often messages are taken to other partitions because theirs was split, and the pause between, in milliseconds. */
const TRIES = 50;
const PAUSE_MS = 25;

/** Takes messages to their partitions. */
export class Publisher {
  readonly #partitions: Partitions;
  readonly #metrics: Metrics;
  readonly #underWay = new UnderWay();

  constructor(partitions: Partitions, metrics: Metrics) {
    this.#partitions = partitions;
    this.#metrics = metrics;
  }

  /**
   * Publishes messages, in order within each partition. Never rejects: each message has its own outcome.
   *
   * @param options.atomic all of them or none; they are in one partition, else none is stored
   */
  async publish(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly PublishOutcome[]> {
    const begin = performance.now();
    const company = this.#underWay.enter();
    try {
      const first = await this.#publishOnce(messages, options);
      return first.some(isSplit) ? await this.#publishAgain(messages, first, options) : first;
    } finally {
      company.leave();
      const { publishTime, publishCalls } = this.#metrics;
      publishTime.observe(performance.now() - begin);
      publishCalls[messages.length === 1 ? "single" : "batch"]++;
    }
  }

  /** Waits until all is over that is under way now. */
  settled(): Promise<void> {
    return this.#underWay.settled();
  }

  /** Takes what was refused because its partition was split, and so was not done, to where it belongs now. */
  async #publishAgain(
    messages: readonly PreparedMessage[],
    first: readonly PublishOutcome[],
    options: { atomic?: boolean },
  ): Promise<readonly PublishOutcome[]> {
    const outcomes = [...first];
    for (let tries = 1; tries < TRIES; tries++) {
      const again = outcomes.flatMap((outcome, i) => isSplit(outcome) ? [i] : []);
      if (again.length === 0) break;
      this.#metrics.retries.split += again.length;
      await pause(PAUSE_MS, new AbortController().signal);
      const rest = again.flatMap((i) => messages[i] ?? []);
      const later = await this.#publishOnce(rest, options);
      for (const [k, i] of again.entries()) outcomes[i] = later[k] ?? new RunnelError("internal");
    }
    return outcomes;
  }

  #publishOnce(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean },
  ): Promise<readonly PublishOutcome[]> {
    const set = this.#partitions.opened();
    return set === undefined
      ? this.#publishLater(messages, options)
      : publishTo(set, messages, options);
  }

  async #publishLater(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean },
  ): Promise<readonly PublishOutcome[]> {
    let set: PartitionSet;
    try {
      set = await this.#partitions.current();
    } catch (error) {
      if (!(error instanceof RunnelError)) throw error;
      return messages.map(() => error);
    }
    return await publishTo(set, messages, options);
  }
}

function publishTo(
  set: PartitionSet,
  messages: readonly PreparedMessage[],
  options: { atomic?: boolean },
): Promise<readonly PublishOutcome[]> {
  const only = onlyPartition(set, messages);
  return only === undefined
    ? publishToSeveral(set, messages, options)
    : publishIn(only, messages, options);
}

async function publishToSeveral(
  set: PartitionSet,
  messages: readonly PreparedMessage[],
  options: { atomic?: boolean },
): Promise<readonly PublishOutcome[]> {
  const shares = new Map<Partition, number[]>();
  for (const [i, { topic }] of messages.entries()) {
    const partition = set.of(topic);
    const share = shares.get(partition);
    if (share === undefined) shares.set(partition, [i]);
    else share.push(i);
  }
  if (options.atomic === true && shares.size > 1) {
    const refusal = spansSeveral();
    return messages.map(() => refusal);
  }
  const outcomes = new Array<PublishOutcome>(messages.length);
  await Promise.all([...shares].map(async ([partition, share]) => {
    const own = share.flatMap((i) => messages[i] ?? []);
    const stored = await publishIn(partition, own, options);
    for (const [k, i] of share.entries()) outcomes[i] = stored[k] ?? new RunnelError("internal");
  }));
  return outcomes;
}

/** Where all of them go, where that is seen at a glance. */
function onlyPartition(
  set: PartitionSet,
  messages: readonly PreparedMessage[],
): Partition | undefined {
  const [first] = messages;
  if (first === undefined || (messages.length > 1 && set.all.length > 1)) return undefined;
  return set.of(first.topic);
}

function publishIn(
  partition: Partition,
  messages: readonly PreparedMessage[],
  options: { atomic?: boolean },
): Promise<readonly PublishOutcome[]> {
  const isStored = !messages.some(({ ephemeral }) => ephemeral);
  return isStored
    ? partition.commit(messages, options)
    : publishMixed(partition, messages, options);
}

async function publishMixed(
  partition: Partition,
  messages: readonly PreparedMessage[],
  options: { atomic?: boolean },
): Promise<readonly PublishOutcome[]> {
  const [stored, ephemeral] = await Promise.all([
    partition.commit(messages.filter((message) => !message.ephemeral), options),
    publishEphemeral(partition, messages.filter((message) => message.ephemeral)),
  ]);
  const rest = stored.values();
  return messages.map((message) =>
    message.ephemeral ? ephemeral : rest.next().value ?? new RunnelError("internal")
  );
}

async function publishEphemeral(
  partition: Partition,
  messages: readonly PreparedMessage[],
): Promise<PublishOutcome> {
  try {
    await partition.send(messages);
    return { id: null, duplicate: false };
  } catch (error) {
    if (error instanceof RunnelError) return error;
    throw error;
  }
}

function isSplit(outcome: PublishOutcome): boolean {
  return outcome instanceof RunnelError && outcome.code === "partition_split";
}

function spansSeveral(): RunnelError {
  const detail = "The topics of an atomic batch must be in one partition: " +
    "give them the same {tag}, or publish to one topic";
  return new RunnelError("invalid_request", detail, {
    errors: [{ pointer: "#/messages", detail }],
  });
}
