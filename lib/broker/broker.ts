import type { StoredMessage } from "../codec/message.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { RedisNode } from "../redis/node.ts";
import { PartitionStore } from "../redis/store.ts";
import type { Retention } from "../redis/topic_store.ts";
import type { Outcome } from "./commit_plan.ts";
import { Committer } from "./committer.ts";
import { type Confirm, Confirmations, type ConfirmedOutcome } from "./confirmations.ts";
import { Feed } from "./feed.ts";
import { GroupIndex } from "./group_index.ts";
import { Groups } from "./groups.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { Presence } from "./presence.ts";
import { Reader } from "./reader.ts";
import type { ReplyInput, RequestInput } from "./request_input.ts";
import { Requests } from "./requests.ts";
import { Scheduler } from "./scheduler.ts";
import { type SubscribeRequest, Subscription } from "./subscription.ts";
import type { Sink } from "./sink.ts";
import { Streams } from "./streams.ts";
import { SubscriptionNames } from "./subscription_names.ts";
import { Sweeper } from "./sweeper.ts";
import { Topics } from "./topics.ts";
import { within } from "./wait.ts";

/** Options of {@link Broker}. */
export interface BrokerOptions {
  readonly node: RedisNode;
  readonly log: Logger;
  readonly prefix: string;
  readonly retention: Retention;
  readonly idempotencyMs: number;
  /** How many times its most messages a topic's unacknowledged work may be. */
  readonly backlogFactor: number;
  readonly heartbeatMs: number;
}

/** What became of a published message. `id` is null where it was ephemeral, or is kept for later. */
export type PublishOutcome =
  | { readonly id: null; readonly duplicate: boolean; readonly scheduled?: undefined }
  | Outcome;

/** How long opening a subscription may take, in milliseconds. */
const OPEN_MS = 1_800;

/**
 * Takes messages from publishers, keeps them in Redis, and gives them to subscriptions.
 *
 * - A message whose outcome is an id is stored, and is given to every subscription that is at or behind it.
 * - One subscription gets the messages of all its topics in id order, each once; what is gone is announced.
 * - The same topic and idempotency key within the window is stored once, from whatever process.
 */
export class Broker implements AsyncDisposable {
  /** Lists, describes, reads and changes topics. */
  readonly topics: Topics;
  /** Shares the work of topics among consumers. */
  readonly groups: Groups;
  readonly #log: Logger;
  readonly #store: PartitionStore;
  readonly #committer: Committer;
  readonly #feed: Feed;
  readonly #reader: Reader;
  readonly #heartbeats: Heartbeats;
  readonly #sweeper: Sweeper;
  readonly #scheduler: Scheduler;
  readonly #presence: Presence;
  readonly #requests: Requests;
  readonly #confirmations: Confirmations;
  readonly #names: SubscriptionNames;
  readonly #streams: Streams;
  #draining = false;

  constructor(options: BrokerOptions) {
    const { node, log, retention } = options;
    const processId = crypto.randomUUID();
    this.#log = log;
    this.#store = new PartitionStore(node, {
      prefix: options.prefix,
      partition: 0,
      retention,
      idempotencyMs: options.idempotencyMs,
      backlogFactor: options.backlogFactor,
    });
    this.#presence = new Presence({ store: this.#store, log, processId });
    const index = new GroupIndex(this.#store.groups);
    this.topics = new Topics({ store: this.#store, retention, presence: this.#presence, index });
    this.#committer = new Committer({ store: this.#store, log, index });
    this.#reader = new Reader(this.#store);
    this.#feed = new Feed({
      store: this.#store,
      openLink: (events) => node.openFeedLink(events),
      log,
      processId,
    });
    const waiting = {
      feed: this.#feed,
      publish: (message: PreparedMessage) => this.#publishOne(message),
      log,
      processId,
    };
    this.#requests = new Requests({ store: this.#store.requests, ...waiting });
    this.#confirmations = new Confirmations({ store: this.#store.confirmations, ...waiting });
    this.#names = new SubscriptionNames(this.#store.confirmations);
    this.#heartbeats = new Heartbeats({ intervalMs: options.heartbeatMs });
    this.#streams = new Streams({ heartbeats: this.#heartbeats, log });
    this.groups = new Groups({
      store: this.#store,
      feed: this.#feed,
      streams: this.#streams,
      index,
      log,
      processId,
      start: () => this.start(),
    });
    this.#sweeper = new Sweeper({ store: this.#store, log, processId, index });
    this.#scheduler = new Scheduler({ store: this.#store, feed: this.#feed, log, index });
  }

  /**
   * Begins what is to be done though nobody asks: retention, and publishing what was kept for later. The first use of
   * the broker does it too.
   */
  start(): void {
    if (this.#draining) return;
    this.#sweeper.start();
    this.#scheduler.start();
  }

  /**
   * Publishes messages, in order. Never rejects: each message has its own outcome.
   *
   * @param options.atomic all of them or none
   */
  async publish(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly PublishOutcome[]> {
    this.start();
    if (!messages.some((message) => message.ephemeral)) {
      return await this.#commit(messages, options);
    }
    const [stored, ephemeral] = await Promise.all([
      this.#commit(messages.filter((message) => !message.ephemeral), options),
      this.#publishEphemeral(messages.filter((message) => message.ephemeral)),
    ]);
    const rest = stored.values();
    return messages.map((message) =>
      message.ephemeral ? ephemeral : rest.next().value ?? new RunnelError("internal")
    );
  }

  /**
   * Publishes a message and waits until so many subscriptions have confirmed it.
   *
   * @param signal ends the waiting: the publisher has gone
   * @throws RunnelError why it was not published
   */
  publishConfirmed(
    message: PreparedMessage,
    confirm: Confirm,
    signal: AbortSignal,
  ): Promise<ConfirmedOutcome> {
    return this.#confirmations.publish(message, confirm, signal);
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
      return await this.#confirmations.confirm({ topic, ids, subscription: name });
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
  request(input: RequestInput, signal: AbortSignal): Promise<readonly StoredMessage[]> {
    return this.#requests.request(input, signal);
  }

  /**
   * Hands in a reply to a request, wherever its requester is.
   *
   * @throws RunnelError `requester_gone`, or why it was not taken
   */
  reply(input: ReplyInput): Promise<void> {
    return this.#requests.reply(input);
  }

  /**
   * Opens a subscription: finds its start and makes its topics live.
   *
   * @throws RedisFailure where Redis cannot be reached, or `shutting_down`
   */
  async subscribe(request: SubscribeRequest): Promise<Subscription> {
    if (this.#draining) throw new RunnelError("shutting_down");
    this.start();
    const late = new RunnelError("redis_timeout");
    return await within(OPEN_MS, late, async (signal) => {
      const subscription = new Subscription(request, {
        reader: this.#reader,
        feed: this.#feed,
        log: this.#log,
        id: await this.#names.create(signal),
      });
      await subscription.open(signal);
      return subscription;
    });
  }

  /** Gives an opened subscription's messages to a client until either ends. */
  async serve(subscription: Subscription, sink: Sink): Promise<void> {
    const leave = this.#presence.add(subscription.filter);
    await this.#streams.serve(subscription, sink).finally(leave);
  }

  /**
   * Cancels a message that is kept for later.
   *
   * @returns false where nothing is kept under the token, or it was published already
   * @throws RedisFailure
   */
  cancelScheduled(token: string): Promise<boolean> {
    return this.#store.schedule.cancel(token);
  }

  /**
   * Whether Redis takes messages now; resolves with the generation that reigns.
   *
   * @throws RedisFailure with the reason why not
   */
  async check(): Promise<{ generation: number }> {
    await this.#store.checkWrite();
    const { generation } = await this.#store.position();
    return { generation };
  }

  /** Ends all streams with `$bye` and answers what is under way; nothing new is taken. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.groups.stop();
    const ended = this.#streams.drain();
    await Promise.all([
      this.#requests[Symbol.asyncDispose](),
      this.#confirmations[Symbol.asyncDispose](),
    ]);
    await this.#committer[Symbol.asyncDispose]();
    await ended;
    await this.groups[Symbol.asyncDispose]();
  }

  /** Drains, and closes everything but the Redis connections, which belong to the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.drain(), this.#scheduler[Symbol.asyncDispose]()]);
    this.#heartbeats[Symbol.dispose]();
    await this.#sweeper[Symbol.asyncDispose]();
    await this.#presence[Symbol.asyncDispose]();
    await this.#feed[Symbol.asyncDispose]();
  }

  async #commit(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean },
  ): Promise<readonly Outcome[]> {
    const outcomes = await this.#committer.store(messages, options);
    for (const outcome of outcomes) {
      if (outcome instanceof RunnelError || outcome.scheduled === undefined) continue;
      this.#scheduler.expect(outcome.scheduled.at);
    }
    return outcomes;
  }

  async #publishOne(message: PreparedMessage): Promise<Outcome> {
    this.start();
    const [outcome] = await this.#committer.store([message]);
    return outcome ?? new RunnelError("internal");
  }

  async #publishEphemeral(messages: readonly PreparedMessage[]): Promise<PublishOutcome> {
    try {
      await this.#store.publishEphemeral(messages);
      return { id: null, duplicate: false };
    } catch (error) {
      if (error instanceof RunnelError) return error;
      throw error;
    }
  }
}
