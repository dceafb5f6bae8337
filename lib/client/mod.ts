/**
 * The typed client of Runnel, for browsers, Deno and Node.
 *
 * ```ts
 * import { createClient } from "http://localhost:8000/client.js";
 *
 * const runnel = createClient({ url: "http://localhost:8000" });
 * const orders = runnel.subscribe(["orders.*"], { since: "10m" });
 * await runnel.publish("orders.eu", { id: 7 });
 * for await (const { topic, data } of orders) {
 *   console.log(topic, data); // orders.eu { id: 7 }
 *   break; // leaving the loop ends the subscription
 * }
 * ```
 *
 * **Publishing.** Calls that come while a request is under way go out together in the next one, in their order, and each
 * promise has an outcome of its own. What may be tried again is, under an idempotency key, so that it is stored once.
 *
 * **Subscribing.** A subscription comes back by itself after every break and goes on where it was: after a lost link, an hour
 * of sleep, a page that comes back from the history, a token that ended. Its `state` is what a connection light shows:
 *
 * ```ts
 * import { createClient } from "http://localhost:8000/client.js";
 *
 * const runnel = createClient({ url: "http://localhost:8000" });
 * const live = Promise.withResolvers<void>();
 * const stream = runnel.subscribe("news", {
 *   onMessage: ({ data }) => console.log(data),
 *   onEvent: (event) => {
 *     if (event.event === "$gap") console.log("gone for good:", event.topic, event.reason);
 *   },
 *   onState: (state) => {
 *     if (state.status === "live") live.resolve();
 *     if (state.status === "waiting") console.log("again at", state.retryAt, state.error.code);
 *   },
 * });
 * await live.promise;
 * stream.close();
 * await stream.closed;
 * ```
 *
 * **Tabs.** In a browser the tabs of an origin share one stream, since it has six connections to a server (HTTP/1.1) for all
 * of them. A Web Lock decides which tab leads; that tab asks the server for all topics that any tab wants, and tells the
 * others over a BroadcastChannel. This feed is no more than a shortcut: each subscription has a cursor of its own, and where
 * it may have missed something (it has just begun, the leader is another, the tab was frozen, it reads slowly) it reads what
 * lies between by a short request of its own before it goes on with the feed, and leaves out what it has already. So nothing
 * depends on what a leader knew: one that is closed is followed by the next at once; one that says nothing for one and a half
 * heartbeats and does not answer within six seconds loses the lock. Where tabs cannot share, as a page that is not secure, a
 * subscription with `limit`, `wait`, `conflate` or `group`, or topics that the leader's token may not read, each has a stream
 * of its own.
 *
 * @module
 */
import { type ClientOptions, Runnel } from "./runnel.ts";

export type { ConnectionState } from "./link.ts";
export type { Message, StreamEvent } from "./message.ts";
export type { OutgoingMessage, Published, PublishOptions } from "./publisher.ts";
export type { RequestOptions, ServeOptions } from "./questions.ts";
export { type FieldError, RunnelError } from "./runnel_error.ts";
export type {
  BatchOptions,
  ClientOptions,
  Held,
  Pulled,
  PullOptions,
  Runnel,
  Settled,
} from "./runnel.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./schema.ts";
export type { SubscribeOptions } from "./subscribe_options.ts";
export type { Subscription, SubscriptionCallbacks } from "./subscription.ts";
export type { Topic } from "./topic.ts";
export type { Call, Query, TokenSource } from "./transport.ts";
export type { Worker, WorkHandler, WorkOptions } from "./worker.ts";

/**
 * Makes a client. It opens nothing by itself.
 *
 * ```ts
 * import { createClient } from "http://localhost:8000/client.js";
 *
 * // asked before each request, so that a token can be renewed before it ends
 * const token = () => "an API key, or a token of your own backend";
 * const runnel = createClient({ url: "http://localhost:8000", token });
 * const { id } = await runnel.publish("topic1", "Hello");
 * console.log(typeof id); // string
 * ```
 */
export function createClient(options: ClientOptions): Runnel {
  return new Runnel(options);
}
