import type { StandardSchema } from "./schema.ts";
import type { SubscriptionCallbacks } from "./subscription.ts";

/** Options of a subscription. */
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
  /** What the data of each message must be; one that is not ends the subscription with `invalid_data`. */
  readonly schema?: StandardSchema<unknown, T> | undefined;
  /** Leases the messages to a consumer of this group; acknowledge each. @default none */
  readonly group?: string;
  /** @default one of its own */
  readonly consumer?: string;
  /** Most messages of a group that are not acknowledged at a time. @default 10 */
  readonly max?: number;
  /** How long a message of a group is held, in milliseconds. @default 30000 */
  readonly leaseMs?: number;
  /**
   * The browser's own EventSource in place of fetch: without a token, only for the types that are named, and a link that
   * is half-open is found by the browser alone. @default "fetch"
   */
  readonly via?: "fetch" | "eventsource";
  /** Types of messages that an EventSource listens for, beside messages without one. @default [] */
  readonly types?: readonly string[];
  /** False gives it a stream of its own in a browser, which is not shared with other tabs. @default the client's */
  readonly share?: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal;
}
