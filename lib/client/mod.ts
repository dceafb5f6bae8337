/** The typed client of Runnel, for browsers, Deno and Node. */
import { OwnStream } from "./own_stream.ts";
import { type Published, Publisher, type PublishOptions } from "./publisher.ts";
import { Subscription, type SubscriptionCallbacks } from "./subscription.ts";
import { type Call, type Query, type TokenSource, Transport } from "./transport.ts";

export type { ConnectionState } from "./link.ts";
export type { Message, StreamEvent } from "./message.ts";
export type { OutgoingMessage, Published, PublishOptions } from "./publisher.ts";
export { type FieldError, RunnelError } from "./runnel_error.ts";
export { Subscription, type SubscriptionCallbacks } from "./subscription.ts";
export type { Call, Query, TokenSource } from "./transport.ts";

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Where the server is, such as `https://runnel.example`; whatever stands before `/publish`. */
  readonly url: string | URL;
  /** A token or API key, or what gives one; asked before each request. @default none */
  readonly token?: TokenSource;
  /** @default the global one */
  readonly fetch?: typeof fetch;
  /** `include` sends cookies to another origin too. @default the browser's own */
  readonly credentials?: RequestCredentials;
  /** How often a publish is sent at the most, where the error says that it may be tried again. @default 5 */
  readonly attempts?: number;
  /** Time between the server's heartbeats (its RUNNEL_HEARTBEAT_MS), in milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
}

/** Options of {@link Runnel.subscribe}. */
export interface SubscribeOptions<T = unknown> extends SubscriptionCallbacks<T> {
  /**
   * Where to start: `latest`, `earliest`, `last:<n>`, an ISO time, a duration such as `10m`, a message id, or the
   * `cursor` of an earlier subscription. @default "latest"
   */
  readonly since?: string;
  /** Ends after so many messages. @default never */
  readonly limit?: number;
  /** False ends it when it has caught up. @default true */
  readonly wait?: boolean;
  /** Gives a reader that lags just the newest message of each key. @default false */
  readonly conflate?: boolean;
  /** Leases the messages to a consumer of this group; acknowledge each. @default none */
  readonly group?: string;
  /** @default one of its own */
  readonly consumer?: string;
  /** Most messages of a group that are not acknowledged at a time. @default 10 */
  readonly max?: number;
  /** How long a message of a group is held, in milliseconds. @default 30000 */
  readonly leaseMs?: number;
  /** The browser's own EventSource in place of fetch: no token, and only the types that are named. @default "fetch" */
  readonly via?: "fetch" | "eventsource";
  /** Types of messages that an EventSource listens for, beside messages without one. @default [] */
  readonly types?: readonly string[];
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Makes a client. It opens nothing by itself. */
export function createClient(options: ClientOptions): Runnel {
  return new Runnel(options);
}

/** A client of one server; {@link createClient} makes it. */
export class Runnel {
  readonly #transport: Transport;
  readonly #publisher: Publisher;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options);
    this.#publisher = new Publisher(this.#transport);
  }

  /**
   * Any request of the HTTP API: resolves to the JSON of its answer. The path is relative and its segments are encoded:
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
    const { signal, attempts = this.#options.attempts ?? 5, ...rest } = options;
    return this.#publisher.publish({ topic, data, ...rest }, { attempts, signal });
  }

  /** Subscribes to topics and patterns, from now on or from `since`, until it is closed. */
  subscribe(topics: string | readonly string[], options: SubscribeOptions = {}): Subscription {
    const { since, limit, wait, conflate, group, consumer, max, leaseMs } = options;
    const { via, types = [], signal, ...callbacks } = options;
    const query: Query = [
      ...[topics].flat().map((topic) => ["topic", topic] as const),
      ...(wait === false ? [["wait", "0"] as const] : []),
      ...(conflate ? [["conflate", "1"] as const] : []),
      ...Object.entries({ group, consumer, max, leaseMs }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, `${value}`] as const]
      ),
    ];
    const source = new OwnStream({
      transport: this.#transport,
      query,
      cursor: "",
      since,
      limit,
      heartbeatMs: this.#options.heartbeatMs ?? 15_000,
      eventSource: via === "eventsource" ? types : undefined,
    });
    return new Subscription(source, { ...callbacks, cursor: "", signal });
  }
}
