/** Every route that Runnel has; a new one is added here. */
import type { Chance } from "./chance.ts";
import type { FuzzRoute } from "./fuzz_route.ts";
import type { Known } from "./known.ts";
import { ASKED, CONSUMERS, GROUPS, TOPICS, WANTED, WORKED } from "./names.ts";
import { cloudEvent, eventHeaders, later, options, payload } from "./payloads.ts";

/** Storing may wait for replicas that are not there, or for work to be done. */
const STORING = ["not_replicated", "topic_full"];
const TYPES = ["text/plain", "application/json", "application/octet-stream", "image/png"];

function message(chance: Chance): Record<string, unknown> {
  const plain = { topic: chance.pick(TOPICS), ...payload(chance) };
  if (chance.is(0.03)) return { ...plain, durability: "ephemeral" };
  if (chance.is(0.0005)) return { ...plain, durability: "replicated", replicas: 1 };
  return { ...plain, ...options(chance), ...(chance.is(0.04) ? later(chance) : {}) };
}

function start(chance: Chance, known: Known): string {
  if (chance.is(0.7)) return chance.pick(["latest", "last:3", "1ms", "2100-01-01T00:00:00Z"]);
  return chance.is(0.7)
    ? chance.pick(known.ids)
    : chance.pick(["earliest", "last:30", "5s", "2026-01-01T00:00:00Z"]);
}

const PUBLISHING: readonly FuzzRoute[] = [
  {
    ...{ name: "publish", method: "POST", weight: 14, allows: STORING },
    draft: (chance) => ({ path: ["publish"], json: message(chance) }),
  },
  {
    ...{ name: "publish and confirm", method: "POST", weight: 2, allows: STORING },
    draft: (chance) => ({
      path: ["publish"],
      json: {
        ...{ topic: chance.pick(TOPICS), ...payload(chance) },
        confirm: { subscribers: 1 + chance.int(2), timeoutMs: 1 + chance.int(20) },
      },
    }),
  },
  {
    ...{ name: "publish/:topic", method: "POST", weight: 10, allows: STORING },
    draft: (chance) => {
      const json = chance.is(0.3);
      const bytes = json ? new TextEncoder().encode('{"a":[1]}') : chance.bytes(chance.int(60));
      const type = json ? "application/json" : chance.pick(TYPES.slice(2));
      return {
        ...{ path: ["publish", chance.pick(TOPICS)], bytes, headers: { "content-type": type } },
        query: chance.fields(0.1, {
          type: () => "created",
          key: () => "k",
          ttlMs: () => 1 + chance.int(2_000),
        }) as Record<string, string>, // each of the makers gives a text or a number
      };
    },
  },
  {
    ...{ name: "batch", method: "POST", weight: 7, allows: STORING },
    draft: (chance) => {
      const messages = chance.some(1, 4, () => message(chance));
      if (chance.is(0.5)) return { path: ["batch"], json: messages };
      return { path: ["batch"], json: { messages, ...(chance.is(0.3) ? { atomic: true } : {}) } };
    },
  },
  {
    ...{ name: "batch NDJSON", method: "POST", weight: 5, allows: STORING },
    draft: (chance) => ({ path: ["batch"], lines: chance.some(0, 4, () => message(chance)) }),
  },
  {
    ...{ name: "publish a CloudEvent", method: "POST", weight: 4, allows: STORING },
    draft: (chance) => ({
      path: ["publish"],
      json: { ...cloudEvent(chance), topic: chance.pick(TOPICS) },
      headers: { "content-type": "application/cloudevents+json" },
    }),
  },
  {
    ...{ name: "publish a CloudEvent in headers", method: "POST", weight: 3, allows: STORING },
    draft: (chance) => ({
      path: ["publish", chance.pick(TOPICS)],
      bytes: chance.bytes(chance.int(60)),
      headers: { ...eventHeaders(chance), "content-type": "image/png" },
    }),
  },
  {
    ...{ name: "batch of CloudEvents", method: "POST", weight: 2, allows: STORING },
    draft: (chance) => ({
      path: ["publish", chance.pick(TOPICS)],
      json: chance.some(0, 4, () => cloudEvent(chance)),
      headers: { "content-type": "application/cloudevents-batch+json" },
    }),
  },
  {
    ...{ name: "scheduled", method: "DELETE", weight: 3 },
    draft: (chance, known) => ({ path: ["scheduled", chance.pick(known.tokens)] }),
  },
];

const SUBSCRIBING: readonly FuzzRoute[] = [
  {
    ...{ name: "subscribe", method: "GET", weight: 4 },
    draft: (chance, known) => ({
      path: ["subscribe"],
      query: {
        topic: chance.some(1, 3, () => chance.pick(WANTED)),
        since: start(chance, known),
        ...(chance.is(0.8) ? { wait: "0" } : {}),
        ...(chance.is(0.3) ? { limit: 1 + chance.int(20) } : {}),
        ...(chance.is(0.4) ? { format: chance.pick(["data", "cloudevents"]) } : {}),
        ...(chance.is(0.2) ? { conflate: "1" } : {}),
      },
      headers: chance.is(0.4) ? { accept: "application/x-ndjson" } : {},
    }),
  },
  {
    ...{ name: "subscribe/:topic", method: "GET", weight: 2 },
    draft: (chance, known) => ({
      path: ["subscribe", chance.pick(WANTED)],
      headers: chance.is(0.5) ? { "last-event-id": chance.pick(known.ids) } : {},
    }),
  },
  {
    ...{ name: "subscribe with a group", method: "GET", weight: 2 },
    draft: (chance) => ({
      path: ["subscribe"],
      query: {
        ...{ topic: chance.pick(WORKED), group: chance.pick(GROUPS), max: 1 + chance.int(5) },
        ...(chance.is(0.5) ? { consumer: chance.pick(CONSUMERS) } : {}),
        ...(chance.is(0.5) ? { wait: "0" } : {}),
        ...(chance.is(0.5) ? { since: "earliest", leaseMs: 100 } : {}),
      },
      headers: chance.is(0.4) ? { accept: "application/x-ndjson" } : {},
    }),
  },
];

const WORKING: readonly FuzzRoute[] = [
  {
    ...{ name: "pull", method: "POST", weight: 9 },
    draft: (chance, known) => ({
      path: ["pull"],
      json: {
        ...{ topic: chance.pick(WORKED), group: chance.pick(GROUPS) },
        ...(chance.is(0.3) ? { consumer: chance.pick(CONSUMERS), attempt: chance.int(9) } : {}),
        ...chance.fields(0.4, {
          since: () => start(chance, known),
          max: () => 1 + chance.int(40),
          waitMs: () => chance.int(20),
          leaseMs: () => 100 + chance.int(500),
        }),
      },
    }),
  },
  {
    ...{ name: "ack", method: "POST", weight: 9 },
    draft: (chance, known) => {
      const { topic, group, lease, ids } = chance.pick(known.leases);
      const some = ids.length === 0 ? [chance.pick(known.ids)] : ids;
      const how = chance.pick([
        ...[{}, {}, {}, { lease }, { outcome: "nack", lease }, { outcome: "extend", lease }],
        { outcome: "nack", lease, delayMs: chance.int(100) },
        { outcome: "extend", lease, leaseMs: 100 },
      ]);
      return { path: ["ack"], json: { topic, group, ids: some, ...how } };
    },
  },
  {
    ...{ name: "confirm", method: "POST", weight: 2 },
    draft: (chance, known) => ({
      path: ["ack"],
      json: {
        topic: chance.pick(TOPICS),
        ids: chance.some(1, 3, () => chance.pick(known.ids)),
        subscription: chance.pick(known.subscriptions),
      },
    }),
  },
  {
    ...{ name: "groups", method: "PUT", weight: 2 },
    draft: (chance, known) => ({
      path: ["topics", chance.pick(WORKED), "groups", chance.pick(GROUPS)],
      json: chance.fields(0.5, {
        maxDeliveries: () => chance.pick([1, 2, 5, null]),
        since: () => start(chance, known),
      }),
    }),
  },
  {
    ...{ name: "groups", method: "DELETE", weight: 2 },
    draft: (chance) => ({
      path: ["topics", chance.pick(WORKED), "groups", chance.pick(GROUPS)],
    }),
  },
  {
    ...{ name: "redrive", method: "POST", weight: 2 },
    draft: (chance, known) => ({
      path: ["topics", chance.pick(WORKED.filter((name) => !name.includes("*"))), "redrive"],
      json: chance.fields(0.3, {
        ids: () => chance.some(1, 3, () => chance.pick(known.ids)),
        group: () => chance.pick(GROUPS),
      }),
    }),
  },
];

const ASKING: readonly FuzzRoute[] = [
  {
    ...{ name: "request", method: "POST", weight: 4, allows: [...STORING, "no_reply"] },
    draft: (chance) => ({
      path: ["request"],
      json: {
        ...{ topic: chance.is(0.7) ? ASKED : chance.pick(TOPICS), ...payload(chance) },
        timeoutMs: chance.is(0.2) ? 1 : 20 + chance.int(120),
        ...(chance.is(0.2) ? { replies: 1 + chance.int(3) } : {}),
      },
    }),
  },
  {
    ...{ name: "reply", method: "POST", weight: 4 },
    draft: (chance, known) => ({
      path: ["reply"],
      json: {
        ...{ replyTo: chance.pick(known.inboxes), ...payload(chance) },
        ...(chance.is(0.2) ? { idempotencyKey: "r" } : {}),
      },
    }),
  },
];

const LOOKING: readonly FuzzRoute[] = [
  {
    ...{ name: "topics", method: "GET", weight: 3 },
    draft: (chance) => ({
      path: ["topics"],
      query: chance.is(0.7)
        ? { prefix: chance.pick(["", "o", "é"]), limit: 1 + chance.int(50) }
        : {},
    }),
  },
  {
    ...{ name: "topics/:topic", method: "GET", weight: 3 },
    draft: (chance) => ({ path: ["topics", chance.pick(TOPICS)] }),
  },
  {
    ...{ name: "topics/:topic", method: "PUT", weight: 2 },
    draft: (chance) => ({
      path: ["topics", chance.pick(TOPICS)],
      json: chance.fields(0.7, {
        maxMessages: () => chance.pick([1, 10, 100, null]),
        maxAgeMs: () => chance.pick([1_000, 60_000, null]),
      }),
    }),
  },
  {
    ...{ name: "topics/:topic", method: "DELETE", weight: 1 },
    draft: (chance) => ({ path: ["topics", chance.pick(TOPICS)] }),
  },
  {
    ...{ name: "topics/:topic/messages", method: "GET", weight: 5 },
    draft: (chance, known) => ({
      path: ["topics", chance.pick(TOPICS), "messages"],
      query: {
        ...{ limit: 1 + chance.int(3), order: chance.pick(["asc", "desc", "desc"]) },
        ...(chance.is(0.3) ? { after: chance.pick(known.ids) } : {}),
        ...(chance.is(0.1) ? { before: chance.pick(known.ids) } : {}),
      },
    }),
  },
  ...["live", "ready"].map((which): FuzzRoute => ({
    ...{ name: `health/${which}`, method: "GET", weight: 1 },
    draft: () => ({ path: ["health", which] }),
  })),
  { name: "metrics", method: "GET", weight: 1, draft: () => ({ path: ["metrics"] }) },
  {
    ...{ name: "token", method: "POST", weight: 3 },
    draft: (chance) => ({
      path: ["token"],
      json: chance.fields(0.5, {
        publish: () => chance.some(1, 3, () => chance.pick(TOPICS)),
        subscribe: () => [chance.pick(["**", "*", "o.*", "users.{sub}.**"])],
        consume: () => [],
        ttlMs: () => 1_000 + chance.int(1_000),
      }),
    }),
  },
  ...["client.js", "client.d.ts"].map((name): FuzzRoute => ({
    ...{ name, method: "GET", weight: 1 },
    draft: () => ({ path: [name] }),
  })),
  { name: "/", method: "GET", weight: 1, draft: () => ({ path: [""] }) },
  { name: "docs", method: "GET", weight: 1, draft: () => ({ path: ["docs"] }) },
  ...["openapi.json", "asyncapi.json", "docs/how_it_works", "docs/grafana.json"].map((
    path,
  ): FuzzRoute => ({
    ...{ name: path, method: "GET", weight: 1 },
    draft: () => ({ path: path.split("/") }),
  })),
  ...[[], ["app.js"], ["app.css"]].map((under): FuzzRoute => ({
    ...{ name: ["console", ...under].join("/"), method: "GET", weight: 1 },
    draft: (chance) => ({
      path: ["console", ...under],
      query: chance.is(0.5) ? { v: "x" } : {},
      headers: chance.is(0.3) ? { "if-none-match": chance.pick(["*", '"x"', 'W/"x", "y"']) } : {},
    }),
  })),
  {
    ...{ name: "preflight", method: "OPTIONS", weight: 1 },
    draft: (chance) => ({
      path: ["publish"],
      headers: {
        origin: chance.pick(["http://localhost:3000", "https://app.example.com"]),
        "access-control-request-method": "POST",
      },
    }),
  },
];

/** What requests are made for. */
export const FUZZ_ROUTES: readonly FuzzRoute[] = [
  ...[...PUBLISHING, ...SUBSCRIBING, ...WORKING, ...ASKING, ...LOOKING],
];
