import type { Message } from "./message.ts";
import { OwnStream } from "./own_stream.ts";
import { locks } from "./page.ts";
import {
  type OutgoingMessage,
  type Published,
  Publisher,
  type PublishOptions,
  retrying,
  wireOf,
} from "./publisher.ts";
import { answer, ask, type RequestOptions, type ServeOptions } from "./questions.ts";
import type { RunnelError } from "./runnel_error.ts";
import { type StandardSchema, validate } from "./schema.ts";
import { SharedStream } from "./shared_stream.ts";
import type { SubscribeOptions } from "./subscribe_options.ts";
import { Subscription } from "./subscription.ts";
import { Tabs } from "./tabs.ts";
import type { Topic } from "./topic.ts";
import { type Call, type TokenSource, Transport, type TransportOptions } from "./transport.ts";
import { Worker, type WorkHandler, type WorkOptions } from "./worker.ts";

/** Options of a {@link Runnel}. */
export interface ClientOptions extends TransportOptions {
  /** How often a publish is sent at the most, where the error says that it may be tried again. @default 5 */
  readonly attempts?: number;
  /** Time between the server's heartbeats (its RUNNEL_HEARTBEAT_MS), in milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
  /**
   * Whether the tabs of a browser share one stream: those with the same `url` and `token`; where the token comes from a
   * function, give a text here that differs from user to user. @default true
   */
  readonly share?: boolean | string;
}

/** Options of {@link Runnel.pull}. */
export interface PullOptions {
  readonly group: string;
  /** Most messages. @default 1 */
  readonly max?: number;
  /** How long to wait for the first, in milliseconds. @default 0 */
  readonly waitMs?: number;
  /** How long they are held, in milliseconds. @default 30000 */
  readonly leaseMs?: number;
  /** Where the group starts if it is new. @default "latest" */
  readonly since?: string;
  readonly consumer?: string;
  /** Rises from pull to pull of a consumer; the same again gives the same messages. */
  readonly attempt?: number;
  readonly signal?: AbortSignal;
}

/** Messages that are held. */
export interface Pulled<T = unknown> {
  /** What holds them; null where there are none. */
  readonly lease: string | null;
  /** Until when, as an ISO time. */
  readonly leaseUntil: string | null;
  readonly messages: readonly Message<T>[];
  /** Whether there is more to be had now. */
  readonly more: boolean;
}

/** Which messages are meant, and what holds them. */
export interface Held {
  readonly group: string;
  readonly ids: readonly string[];
  /** The lease of the pull, or of the streamed message. Only an ack does without. */
  readonly lease?: string | null;
}

/** What became of messages. */
export interface Settled {
  readonly done: number;
  /** Ids that are not, or no longer, held by the lease. */
  readonly unknown: readonly string[];
}

/** Options of {@link Runnel.batch}. */
export interface BatchOptions {
  /** All or none. @default false */
  readonly atomic?: boolean;
  readonly signal?: AbortSignal;
}

/** A client of one server; `createClient` makes it. */
export class Runnel {
  readonly #transport: Transport;
  readonly #publisher: Publisher;
  readonly #attempts: number;
  readonly #heartbeatMs: number;
  readonly #tabs: Tabs | undefined;

  constructor({ attempts = 5, heartbeatMs = 15_000, share = true, ...options }: ClientOptions) {
    this.#transport = new Transport(options);
    this.#publisher = new Publisher(this.#transport);
    this.#attempts = attempts;
    this.#heartbeatMs = heartbeatMs;
    if (!share || !locks) return;
    const transport = this.#transport;
    const who = share === true ? hashOf(transport.token) : share;
    const name = `runnel ${transport.base} ${who}`;
    this.#tabs = new Tabs({ transport, heartbeatMs, locks, name });
  }

  /**
   * Any request of the HTTP API: resolves to the JSON of its answer. The segments of a path that is a list are encoded:
   * `call(["topics", name])`.
   *
   * @throws {RunnelError} whatever is answered that is no success.
   */
  call(path: string | readonly string[], options: Call = {}): Promise<unknown> {
    const parts = typeof path === "string" ? [path] : path.map(encodeURIComponent);
    return this.#transport.call(parts.join("/"), options);
  }

  /**
   * Publishes a message, and resolves when it is stored. Calls that come while one is under way go out together, in their
   * order. Where the error says that it may be tried again, it is sent again, and stored once.
   *
   * @throws {RunnelError} when it was not stored, or it is not known whether it was (`outcome_unknown`, `unreachable`).
   */
  publish(topic: string, data?: unknown, options: PublishOptions = {}): Promise<Published> {
    const { signal, attempts = this.#attempts, ...rest } = options;
    return this.#publisher.publish({ topic, data, ...rest }, { attempts, signal });
  }

  /**
   * Publishes messages, and resolves to what became of each, in order; with `atomic` to that of all, or it throws.
   *
   * @throws {RunnelError} when an atomic batch was not stored.
   */
  async batch(
    messages: readonly OutgoingMessage[],
    { atomic, signal }: BatchOptions = {},
  ): Promise<(Published | RunnelError)[]> {
    if (!atomic) {
      const outcomes = messages.map(({ topic, data, ...options }) =>
        this.publish(topic, data, { ...options, ...(signal && { signal }) }).catch((
          error: RunnelError,
        ) => error)
      );
      return await Promise.all(outcomes);
    }
    const json = { atomic, messages: messages.map(wireOf) };
    const { results } = await retrying(
      () => this.#transport.call("batch", { json, signal }),
      { attempts: this.#attempts, signal },
      // what the server answers
    ) as { results: Omit<Published, "topic" | "duplicate">[] };
    return results.map((result, i) => ({
      ...{ duplicate: false, topic: messages[i]?.topic ?? "" },
      ...result,
    }));
  }

  /** Subscribes to topics and patterns, from now on or from `since`, until it is closed. */
  subscribe<T = unknown>(
    topics: string | readonly string[],
    options: SubscribeOptions<T> = {},
  ): Subscription<T> {
    const { onMessage, onEvent, onState, schema, signal, since, limit, ...more } = options;
    const { via, types = [], share = true, ...query } = more;
    const names = [topics].flat();
    const stream = {
      ...{ transport: this.#transport, heartbeatMs: this.#heartbeatMs, since, limit },
      query: { topic: names, ...query },
      eventSource: via === "eventsource" ? types : undefined,
    };
    const isUsual = Object.keys(query).length === 0 && !limit && !stream.eventSource;
    const source = this.#tabs && share && isUsual
      ? new SharedStream(this.#tabs, { ...stream, topics: names })
      : new OwnStream(stream);
    return new Subscription(source, { onMessage, onEvent, onState, schema, signal });
  }

  /**
   * Takes messages of a group, which are held until they are acknowledged or the lease ends. {@link work} does it all.
   *
   * @throws {RunnelError}
   */
  async pull<T = unknown>(
    topic: string,
    { signal, ...options }: PullOptions,
  ): Promise<Pulled<T>> {
    const timeoutMs = (options.waitMs ?? 0) + 30_000;
    const json = { topic, ...options };
    // the type of the data is the caller's word
    return await this.#transport.call("pull", { json, signal, timeoutMs }) as Pulled<T>;
  }

  /** Says that messages are done. */
  ack(topic: string, held: Held): Promise<Settled> {
    return this.#settle(topic, { ...held, outcome: "ack" });
  }

  /** Gives messages back: they are due again after `delayMs`, at once without it. */
  nack(topic: string, held: Held & { readonly delayMs?: number }): Promise<Settled> {
    return this.#settle(topic, { ...held, outcome: "nack" });
  }

  /** Holds messages for another `leaseMs` from now. */
  extend(topic: string, held: Held & { readonly leaseMs?: number }): Promise<Settled> {
    return this.#settle(topic, { ...held, outcome: "extend" });
  }

  /** Confirms a message to a publisher who waits for it, for the `subscription` that `$ready` named. */
  confirm({ topic, id }: Message, subscription: string): Promise<unknown> {
    return this.#transport.call("ack", { json: { topic, ids: [id], subscription } });
  }

  /**
   * Works through a group: takes messages, hands each to the handler, holds it while that runs, and acknowledges it; where
   * it throws, the message comes again, five times at the most.
   */
  work<T = unknown>(
    topic: string,
    group: string,
    handler: WorkHandler<T>,
    options: WorkOptions<T> = {},
  ): Worker<T> {
    return new Worker(this.#transport, { ...options, topic, group, handler });
  }

  /**
   * Asks whoever serves the topic, and resolves to the first reply.
   *
   * @throws {RunnelError} `no_reply` when none comes in time.
   */
  async request<T = unknown>(
    topic: string,
    data?: unknown,
    options: RequestOptions = {},
  ): Promise<Message<T>> {
    // the type of the data is the caller's word
    return await ask(this.#transport, { topic, data, ...options }) as Message<T>;
  }

  /**
   * Asks, and resolves to so many replies, or to those that came in time.
   *
   * @throws {RunnelError} `no_reply` when none comes in time.
   */
  async requestMany<T = unknown>(
    topic: string,
    data: unknown,
    options: RequestOptions & { readonly replies: number },
  ): Promise<Message<T>[]> {
    const { replies } = await ask(this.#transport, { topic, data, ...options }) as {
      replies: Message<T>[]; // what the server answers
    };
    return replies;
  }

  /** Answers the requests of a topic with what the handler returns. Where it throws, the request comes again. */
  serve<T = unknown>(
    topic: string,
    handler: (data: T, message: Message<T>) => unknown,
    { group = "repliers", ...options }: ServeOptions<T> = {},
  ): Worker<T> {
    const work = async (message: Message<T>) => {
      await answer(this.#transport, message, await handler(message.data, message));
    };
    return this.work(topic, group, work, options);
  }

  /** Replies to a request's message. Nothing happens where nobody waits any more. */
  reply(message: Message, data?: unknown): Promise<void> {
    return answer(this.#transport, message, data);
  }

  /** A topic whose data has a type, by word alone or by a schema (zod, or whatever is a Standard Schema). */
  topic<Input, Output = Input>(
    name: string,
    schema?: StandardSchema<Input, Output>,
  ): Topic<Input, Output> {
    const check = async (data: Input) => {
      if (schema) await validate(data, schema, name);
      return data;
    };
    return {
      name,
      publish: async (data, options) => await this.publish(name, await check(data), options),
      subscribe: (options) => this.subscribe(name, { ...options, schema }),
      work: (group, handler, options) => this.work(name, group, handler, { ...options, schema }),
      request: async (data, options) => await this.request(name, await check(data), options),
      serve: (handler, options) => this.serve(name, handler, { ...options, schema }),
    };
  }

  async #settle(
    topic: string,
    { lease, ...rest }: Held & { readonly outcome: "ack" | "nack" | "extend" },
  ): Promise<Settled> {
    const json = { topic, ...rest, lease: lease ?? undefined };
    // what the server answers
    return await this.#transport.call("ack", { json }) as Settled;
  }
}

/** Tells tokens apart, and says nothing of them. */
function hashOf(token: TokenSource | undefined): number {
  const characters = typeof token === "string" ? [...token] : [];
  return characters.reduce((hash, one) => hash * 31 + one.charCodeAt(0) | 0, 0);
}
