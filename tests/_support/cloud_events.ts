/** CloudEvents as the official SDK sends and reads them. */
import assert from "node:assert/strict";
import { CloudEvent, HTTP } from "cloudevents";
import { type Answer, send, type SendOptions } from "./http.ts";

/** What the SDK makes of an event for HTTP. */
type SdkMessage = ReturnType<typeof HTTP.binary>;

/** An event as any JSON. */
export type JsonEvent = Readonly<Record<string, unknown>>;

/** Sends what the SDK made of an event. */
export function sendMessage(
  url: string,
  { headers, body }: SdkMessage,
  options: SendOptions = {},
): Promise<Answer> {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  const given = body as BodyInit | null | undefined; // the SDK calls it unknown
  return send(url, {
    ...options,
    method: "POST",
    headers: { ...Object.fromEntries(texts), ...options.headers },
    // a Blob without a type keeps fetch from inventing a content type
    ...(given === undefined || given === null ? {} : { body: new Blob([given as BlobPart]) }),
  });
}

/** Sends events as one JSON array. */
export function sendBatch(
  url: string,
  events: readonly unknown[],
  options: SendOptions = {},
): Promise<Answer> {
  return send(url, {
    ...options,
    body: JSON.stringify(events),
    headers: { "content-type": "application/cloudevents-batch+json", ...options.headers },
  });
}

/** What the SDK reads from an event that a subscriber got as JSON. */
export function readSdkEvent(json: string): CloudEvent<unknown> {
  const event = HTTP.toEvent<unknown>({
    headers: { "content-type": "application/cloudevents+json" },
    body: json,
  });
  assert.ok(event instanceof CloudEvent);
  assert.ok(event.validate());
  return event;
}

/** An event that a subscriber got, without the attributes that Runnel gives it. */
export function asPublished(json: string): JsonEvent {
  const entries = Object.entries(JSON.parse(json));
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith("runnel")));
}
