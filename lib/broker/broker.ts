import type { StoredMessage } from "../codec/message.ts";
import { STATS_TOPIC } from "../codec/topic.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Metrics } from "../metrics/metrics.ts";
import type { Tracing } from "../metrics/tracing.ts";
import type { Deployment } from "../redis/deployment.ts";
import type { RateAnswer, RateQuestion } from "../redis/rate_store.ts";
import type { Retention } from "../redis/topic_store.ts";
import type { Confirm, ConfirmedOutcome, WaitingPublisher } from "./confirmations.ts";
import { Groups } from "./groups.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { Partition } from "./partition.ts";
import { Partitions, type PartitionSet } from "./partitions.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { Publisher, type PublishOutcome } from "./publisher.ts";
import { type ReplyInput, requestIdOf, type RequestInput } from "./request_input.ts";
import { noteDelivery } from "./delivery_trace.ts";
import { handingOver } from "./handover.ts";
import type { OpenRequest } from "./open_request.ts";
import { rerouting } from "./rerouting.ts";
import type { Sink } from "./sink.ts";
import { anyOf } from "./spread.ts";
import { StatsTopic } from "./stats_topic.ts";
import { Streams } from "./streams.ts";
import { SubscriptionNames } from "./subscription_names.ts";
import { type SubscribeRequest, Subscription } from "./subscription.ts";
import { Survey } from "./survey.ts";
import { Topics } from "./topics.ts";
import { type Comer, Turnstile } from "./turnstile.ts";
import { within } from "./wait.ts";

/** Options of {@link Broker}. */
export interface BrokerOptions {
  readonly deployment: Deployment;
  readonly log: Logger;
  readonly prefix: string;
  readonly retention: Retention;
  readonly idempotencyMs: number;
  /** How many times its most messages a topic's unacknowledged work may be. */
  readonly backlogFactor: number;
  readonly heartbeatMs: number;
  /** What is counted of its work. @default metrics of its own */
  readonly metrics?: Metrics;
  /** Makes spans of what is delivered. @default nobody collects any */
  readonly tracing?: Tracing | undefined;
}

/** Whether messages are taken, and delivered as they come. */
export interface Readiness {
  /** The highest generation that reigns over a partition. */
  readonly generation: number;
  /** Of each Redis server, in the order of the placement, why its topics take no messages; undefined where they do. */
  readonly shards: readonly (RunnelError | undefined)[];
}

/** How long the proof that messages come as they are published may take, in milliseconds. */
const PROOF_MS = 1_200;
/** How long opening a subscription may take, in milliseconds. */
const OPEN_MS = 1_800;

/**
 * Takes messages from publishers, keeps them in Redis, and gives them to subscriptions.
 *
 * - A message whose outcome is an id is stored, and is given to every subscription that is at or behind it.
 * - One subscription gets the messages of all its topics in id order within each partition, each once; what is gone is
 *   announced.
 * - The same topic and idempotency key within the window is stored once, from whatever process.
 */
export class Broker implements AsyncDisposable {
  /** Lists, describes, reads and changes topics. */
  readonly topics: Topics;
  /** Shares the work of topics among consumers. */
  readonly groups: Groups;
  /** Looks at the whole deployment. */
  readonly survey: Survey;
  /** Names this process, for as long as it runs. */
  readonly processId: string;
  readonly #metrics: Metrics;
  readonly #tracing: Tracing | undefined;
  readonly #stats: StatsTopic;
  readonly #log: Logger;
  readonly #partitions: Partitions;
  readonly #publisher: Publisher;
  readonly #heartbeats: Heartbeats;
  readonly #names: SubscriptionNames;
  readonly #streams: Streams;
  readonly #turnstile: Turnstile;
  readonly #closing = new Set<Promise<void>>();
  #started = false;
  #draining = false;

  constructor(options: BrokerOptions) {
    const { deployment, log, prefix, retention, idempotencyMs, backlogFactor } = options;
    const { metrics = new Metrics() } = options;
    const processId = crypto.randomUUID();
    this.#log = log;
    this.#metrics = metrics;
    this.#tracing = options.tracing;
    this.processId = processId;
    this.#partitions = new Partitions({
      ...{ deployment, log, prefix, retention, idempotencyMs, backlogFactor, processId, metrics },
      onReplaced: (before) => this.#replace(before),
    });
    this.topics = new Topics({ partitions: this.#partitions, retention });
    this.#publisher = new Publisher(this.#partitions, metrics);
    this.#names = new SubscriptionNames(this.#partitions);
    this.#heartbeats = new Heartbeats({ intervalMs: options.heartbeatMs });
    this.#turnstile = new Turnstile({
      others: () => metrics.publishTime.count + metrics.deliveryTime.count,
    });
    this.#streams = new Streams({ heartbeats: this.#heartbeats, log });
    this.groups = new Groups({
      partitions: this.#partitions,
      streams: this.#streams,
      log,
      processId,
      metrics,
      tracing: options.tracing,
      start: () => this.start(),
    });
    this.survey = new Survey({ partitions: this.#partitions, log, processId });
    this.#stats = new StatsTopic({
      partitions: this.#partitions,
      survey: this.survey,
      ...{ metrics, log, processId },
    });
  }

  /**
   * Begins what is to be done though nobody asks: retention, and publishing what was kept for later. The first use of
   * the broker does it too.
   */
  start(): void {
    if (this.#draining || this.#started) return;
    this.#started = true;
    // where Redis is away now, the next use tries again
    this.#startAll().catch(() => this.#started = false);
  }

  /**
   * Publishes messages, in order. Never rejects: each message has its own outcome.
   *
   * @param options.atomic all of them or none
   */
  publish(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly PublishOutcome[]> {
    if (this.#draining) {
      return Promise.resolve(messages.map(() => new RunnelError("shutting_down")));
    }
    this.start();
    return this.#publisher.publish(messages, options);
  }

  /**
   * Publishes a message and waits until so many subscriptions have confirmed it.
   *
   * @param signal ends the waiting: the publisher has gone
   * @throws RunnelError why it was not published
   */
  async publishConfirmed(
    message: PreparedMessage,
    confirm: Confirm,
    signal: AbortSignal,
  ): Promise<ConfirmedOutcome> {
    this.start();
    return await handingOver(async (publisher?: WaitingPublisher) => {
      const { confirmations } = (await this.#partitions.current()).of(message.topic);
      return await (publisher === undefined
        ? confirmations.publish(message, confirm, signal)
        : confirmations.resume(publisher, signal));
    });
  }

  /**
   * Counts a subscription's confirmations of messages of a topic, to whatever process their publishers are at.
   *
   * @param subscription the name that `$ready` gave it
   * @returns how many were counted, now or before, and which messages nobody waits for
   * @throws RunnelError `invalid_request` where there is no such subscription, or why they were not counted
   */
  async confirm(
    topic: string,
    ids: readonly string[],
    subscription: string,
  ): Promise<{ done: number; unknown: string[] }> {
    const name = await this.#names.verify(subscription);
    if (name !== undefined) {
      return await this.#inPartition(
        topic,
        ({ confirmations }) => confirmations.confirm({ topic, ids, subscription: name }),
      );
    }
    const detail = "Must be the name of a subscription, as its $ready gave it";
    throw new RunnelError("invalid_request", detail, {
      errors: [{ pointer: "#/subscription", detail }],
    });
  }

  /**
   * Publishes a request and waits for its replies.
   *
   * @param signal ends the waiting: the requester has gone
   * @throws RunnelError why it was not published, `no_reply`, or `shutting_down`
   */
  async request(input: RequestInput, signal: AbortSignal): Promise<readonly StoredMessage[]> {
    this.start();
    const replies = await handingOver(async (open?: OpenRequest) => {
      const set = await this.#partitions.current();
      return await (open === undefined
        ? set.of(input.topic).requests.request(input, signal)
        : set.of(open.id).requests.resume(open, input, signal));
    });
    if (this.#tracing !== undefined) noteDelivery(this.#tracing, replies, { by: "reply" });
    return replies;
  }

  /**
   * Hands in a reply to a request, wherever its requester is.
   *
   * @throws RunnelError `requester_gone`, or why it was not taken
   */
  async reply(input: ReplyInput): Promise<void> {
    await this.#inPartition(input.replyTo, ({ requests }) => requests.reply(input));
  }

  /**
   * The topic of the request that an address is of; undefined where nobody waits for replies to it any more.
   *
   * @throws RedisFailure
   */
  async topicOfRequest(replyTo: string): Promise<string | undefined> {
    return await this.#inPartition(
      replyTo,
      ({ store }) => store.requests.topicOf(requestIdOf(replyTo)),
    );
  }

  /**
   * Opens a subscription: finds its start and makes its topics live. Where thousands want one it waits for its turn.
   *
   * @param comer who may leave meanwhile
   * @throws RedisFailure where Redis cannot be reached, `overloaded` where too many wait, or `shutting_down`
   */
  async subscribe(request: SubscribeRequest, comer?: Comer): Promise<Subscription> {
    if (this.#draining) throw new RunnelError("shutting_down");
    this.start();
    const open = () =>
      within(
        OPEN_MS,
        () => new RunnelError("redis_timeout"),
        (signal) => rerouting(() => this.#open(request, signal)),
      );
    return await this.#turnstile.pass(open, comer);
  }

  /** Gives an opened subscription's messages to a client until either ends. */
  serve(subscription: Subscription, sink: Sink): Promise<void> {
    const { known } = this.#partitions;
    const leave =
      known?.split(subscription.filter).map(({ partition, filter }) =>
        partition.presence.add(filter)
      ) ?? [];
    const { filter } = subscription;
    if (filter.topics.includes(STATS_TOPIC)) {
      leave.push(this.#stats.enter((message) => subscription.giveAside(message)));
    }
    const { open } = this.#metrics;
    const isForStats = filter.key === STATS_TOPIC;
    if (!isForStats) open.subscription++;
    return this.#streams.serve(subscription, sink).then(() => {
      if (!isForStats) open.subscription--;
      for (const end of leave) end();
    });
  }

  /**
   * The topic of a message that is kept for later; undefined where nothing is kept under the token any more.
   *
   * @throws RedisFailure
   */
  async topicOfScheduled(token: string): Promise<string | undefined> {
    return await rerouting(async () => {
      const { all } = await this.#partitions.current();
      const topics = await Promise.all(all.map(({ store }) => store.schedule.topicOf(token)));
      return topics.find((topic) => topic !== undefined);
    });
  }

  /**
   * Cancels a message that is kept for later.
   *
   * @returns false where nothing is kept under the token, or it was published already
   * @throws RedisFailure
   */
  async cancelScheduled(token: string): Promise<boolean> {
    return await rerouting(async () => {
      const { all } = await this.#partitions.current();
      const answers = await Promise.allSettled(
        all.map(({ store }) => store.schedule.cancel(token)),
      );
      if (answers.some((one) => one.status === "fulfilled" && one.value)) return true;
      const failure = answers.find((one) => one.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      return false;
    });
  }

  /**
   * A secret that all processes of the deployment share.
   *
   * @throws RedisFailure where it is not known yet and Redis cannot be reached
   */
  async secret(): Promise<string> {
    return await this.#partitions.secret();
  }

  /**
   * Notes that a ticket was used, for so many milliseconds.
   *
   * @returns false where it was before
   * @throws RedisFailure
   */
  async spendTicket(id: string, ms: number): Promise<boolean> {
    return await this.#inPartition(id, ({ store }) => store.tickets.spend(id, ms));
  }

  /**
   * Takes points from those that a name has in a second, all or none, at whatever process.
   *
   * @throws RedisFailure
   */
  async takePoints(name: string, question: RateQuestion): Promise<RateAnswer> {
    return await this.#inPartition(name, ({ store }) => store.rates.take(name, question));
  }

  /**
   * Whether Redis takes messages now, and gives them to this process as they come.
   *
   * @throws RedisFailure with the reason why not, where no partition does
   */
  async check(): Promise<Readiness> {
    const { all } = await this.#partitions.current();
    const failures = new Map<number, RunnelError>();
    const generations = await anyOf(all, async ({ number, store, feed }) => {
      try {
        await store.checkWrite();
        const silent = () => new RunnelError("feed_silent");
        await within(PROOF_MS, silent, (signal) => feed.prove(signal));
        return (await store.position()).generation;
      } catch (error) {
        if (error instanceof RunnelError) failures.set(number, error);
        throw error;
      }
    });
    const shards = this.#partitions.shards.map(({ url, partitions }) => {
      const failure = partitions.map((number) => failures.get(number)).find((one) => one);
      if (failure !== undefined) this.#log.warn("shard is not ready", { url, code: failure.code });
      return failure;
    });
    return { generation: Math.max(...generations), shards };
  }

  /** Ends all streams with `$bye` and answers what is under way; nothing new is taken. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.groups.stop();
    const closed = this.#turnstile[Symbol.asyncDispose]();
    const ended = this.#streams.drain();
    const partitions = this.#partitions.known?.all ?? [];
    await this.#publisher.settled();
    await Promise.all(partitions.map((partition) => partition.drain()));
    await Promise.all([ended, closed]);
    await this.groups.settled();
    await Promise.all(partitions.map((partition) => partition.release()));
  }

  /** Drains, and closes everything but the Redis connections, which belong to the deployment. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#partitions[Symbol.dispose]();
    const silent = this.#stats[Symbol.asyncDispose]();
    await this.drain();
    await silent;
    this.#metrics[Symbol.dispose]();
    this.#heartbeats[Symbol.dispose]();
    const partitions = this.#partitions.known?.all ?? [];
    await Promise.all([...partitions.map((one) => one[Symbol.asyncDispose]()), ...this.#closing]);
  }

  async #startAll(): Promise<void> {
    const { all } = await this.#partitions.current();
    if (this.#draining) return;
    for (const partition of all) partition.start();
    this.#stats.start();
  }

  async #open(request: SubscribeRequest, signal: AbortSignal): Promise<Subscription> {
    const set = await this.#partitions.current();
    const spans = set.split(request.filter).map(({ partition, filter }) => {
      const { number, reader, feed } = partition;
      return { number, filter, reader, feed };
    });
    const subscription = new Subscription(request, {
      spans,
      partitions: set.all.length,
      log: this.#log,
      metrics: this.#metrics,
      tracing: this.#tracing,
      id: await this.#names.create(signal),
    });
    await subscription.open(signal);
    return subscription;
  }

  #inPartition<T>(topic: string, work: (partition: Partition) => Promise<T>): Promise<T> {
    return rerouting(async () => await work((await this.#partitions.current()).of(topic)));
  }

  /** Partitions were split: whoever is at those of before is sent to those of now. */
  #replace(before: PartitionSet): void {
    this.#streams.endAll("moved");
    this.groups.release();
    this.#started = false;
    this.start();
    const closing = this.#retire(before).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async #retire({ all }: PartitionSet): Promise<void> {
    await this.#publisher.settled();
    await Promise.all(all.map((partition) => partition.drain({ split: true })));
    await this.groups.settled();
    await Promise.all(all.map((partition) => partition.release()));
    await Promise.all(all.map((partition) => partition[Symbol.asyncDispose]()));
  }
}
