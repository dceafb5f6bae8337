import { createHash } from "node:crypto";
import type { CloudEvent } from "../codec/cloud_event.ts";
import { KEY_ATTRIBUTE, messageOfEvent } from "../codec/event_message.ts";
import { requirePublishTopic } from "../codec/topic.ts";
import { RunnelError } from "../errors.ts";
import { TEXT_MOST } from "./message_fields.ts";
import type { PublishInput, PublishOptions } from "./publish_input.ts";

/** Options of {@link eventInput}. */
export interface EventInputOptions {
  /** Where it goes. @default what its extension attribute `topic` names */
  readonly topic?: string | undefined;
  /** How it is published; its type and key are the event's own. */
  readonly options?: Omit<PublishOptions, "type" | "key">;
  /** Where an attribute stands in the request, for what is said of it. */
  readonly pointerOf: (name: string) => string;
}

/**
 * An event as what its publisher asks for. Unless the options name another one its idempotency key is what makes it
 * one event by definition: `source` and `id`.
 *
 * @throws {RunnelError} `invalid_topic` or `invalid_request` that points at the attribute.
 */
export function eventInput(event: CloudEvent, given: EventInputOptions): PublishInput {
  const { options = {}, pointerOf } = given;
  requireKey(event.attributes.get(KEY_ATTRIBUTE), pointerOf);
  const { headers = {}, ...fields } = messageOfEvent(event);
  const { idempotencyKey = identityOf(event), ...rest } = options;
  return {
    ...rest,
    ...fields,
    headers: { ...headers },
    topic: given.topic ?? topicOf(event, pointerOf),
    ...(options.durability === "ephemeral" ? {} : { idempotencyKey }),
  };
}

// not its subject: that names a thing of the publisher's, such as a file, and would make as many topics
function topicOf({ attributes }: CloudEvent, pointerOf: (name: string) => string): string {
  const topic = attributes.get("topic");
  const pointer = pointerOf("topic");
  if (typeof topic === "string") return requirePublishTopic(topic, pointer);
  const detail = topic === undefined
    ? "Name the topic in the path, /publish/{topic}, or in this extension attribute"
    : "Must be text";
  throw new RunnelError("invalid_topic", detail, { errors: [{ pointer, detail }] });
}

function requireKey(key: unknown, pointerOf: (name: string) => string): void {
  if (key === undefined || (typeof key === "string" && key !== "" && key.length <= TEXT_MOST)) {
    return;
  }
  const detail = `Must be text of 1 to ${TEXT_MOST} characters`;
  const errors = [{ pointer: pointerOf(KEY_ATTRIBUTE), detail }];
  throw new RunnelError("invalid_request", detail, { errors });
}

function identityOf({ attributes }: CloudEvent): string {
  const key = `ce:${JSON.stringify([attributes.get("source"), attributes.get("id")])}`;
  return key.length <= TEXT_MOST
    ? key
    : `ce:${createHash("sha256").update(key).digest("base64url")}`;
}
