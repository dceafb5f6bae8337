/** The typed client of Runnel, for browsers, Deno and Node. */
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

/** Makes a client. It opens nothing by itself. */
export function createClient(options: ClientOptions): Runnel {
  return new Runnel(options);
}
