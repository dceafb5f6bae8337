import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { createMain } from "../../functions/main.ts";
import { EVENT_BATCH_TYPE, EVENT_TYPE } from "../../lib/codec/cloud_event.ts";
import type { AsyncApiDocument } from "../../lib/http/asyncapi.ts";
import { loadConfig } from "../../lib/config.ts";
import {
  ApiContract,
  type Block,
  type OperationName,
  type Told,
} from "../_support/api_contract.ts";
import { sampleOf, type SampleOptions } from "../_support/api_sample.ts";
import { ALL, apiKey, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import type { Fetch } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { type EventStream, openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();
const URL_BASE = "http://localhost";
const EVENTS = "text/event-stream", LINES = "application/x-ndjson";

/** Statuses that are described and cannot be had here, with the reason why. */
const UNPROVOKED: Readonly<Record<string, string>> = {
  "408": "an upload must stall for thirty seconds first: tests/http/body_test.ts",
  "500": "of each operation alone: seen for all together, where the server is broken",
};
/** Where only some operations lack a status. */
const UNPROVOKED_AT: Readonly<Record<string, string>> = {
  "POST /ack 409": GROUP_GOES(),
  "PUT /topics/{topic}/groups/{group} 409": GROUP_GOES(),
  "DELETE /topics/{topic}/groups/{group} 409": GROUP_GOES(),
  "GET /subscribe 409": GROUP_GOES(),
  "GET /subscribe/{topic} 409": GROUP_GOES(),
};

function GROUP_GOES(): string {
  return "a group is being deleted at that very moment: tests/redis/group_store_test.ts";
}

/** Codes that are described and cannot be had here, with the reason why. */
const UNPROVOKED_CODES: Readonly<Record<string, string>> = {
  feed_silent: "needs a Redis whose Pub/Sub is dead: tests/fault/delivery_dead_test.ts",
  upload_timeout: "an upload must stall for thirty seconds first: tests/http/body_test.ts",
  group_deleting: GROUP_GOES(),
  jwks_unavailable: "needs an issuer that is away: tests/http/jwt_verifier_test.ts",
  redis_timeout: "needs a Redis that stalls: tests/fault/link_stalled_test.ts",
  redis_tls: "needs a Redis with TLS: tests/redis/tls_test.ts",
  redis_auth: "needs a Redis with a password: tests/redis/connection_test.ts",
  redis_forbidden: "needs a Redis user without rights: tests/functions/redis_user_test.ts",
  redis_readonly: "needs a replica: tests/redis/failure_test.ts",
  redis_out_of_memory: "needs a Redis that is full: tests/functions/bad_days_test.ts",
  redis_loading: "needs a Redis that starts: tests/redis/failure_test.ts",
  redis_error: "needs an error that Redis does not have yet: tests/redis/failure_test.ts",
  outcome_unknown: "needs a reply that is lost: tests/fault/idempotency_test.ts",
  stale_primary: "needs a failover: tests/fault/sentinel_test.ts",
  primary_unconfirmed: "needs Sentinels: tests/redis/elected_primary_test.ts",
  stale_commit: "needs a commit that comes late: tests/redis/commit_test.ts",
  partition_closed: "needs a partition on the move: tests/fault/reshard_test.ts",
  partition_split: "needs a partition that is split: tests/functions/split_test.ts",
  overloaded: "needs more than can be stored: tests/broker/committer_test.ts",
  groups_changed: "needs two changes at once: tests/redis/group_store_test.ts",
  groups_unadopted: "needs two changes at once: tests/redis/group_store_test.ts",
};

type Part = (t: Deno.TestContext) => Promise<void>;
// of one test, which knows at its end what was not seen
const PARTS: [name: string, run: Part][] = [];
const part = (name: string, run: Part) => PARTS.push([name, run]);

const limited = apiKey("limited", { ...ALL, manage: true });
const other = apiKey("other", { ...ALL, manage: true });
// whose messages of a second are counted for it alone
const busy = apiKey("busy", { ...ALL, manage: true });
const powerless = apiKey("powerless", { publish: ["nothing.of.this"] });
const AUTH_ENV = {
  RUNNEL_AUTH: "keys",
  RUNNEL_KEYS: JSON.stringify([limited, other, busy, powerless].map(({ key }) => key)),
};

const open = (env: Record<string, string> = {}) =>
  openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: `t${crypto.randomUUID().slice(0, 8)}`, ...env },
    logLevel: "silent",
  });

const text = await descriptionOf();
const contract = new ApiContract(text);
const operations = new Map(contract.operations);

async function descriptionOf(): Promise<string> {
  await using runnel = await openRunnel({ redisUrl: "redis://127.0.0.1:1" });
  return await (await runnel.fetch(new Request(`${URL_BASE}/openapi.json`))).text();
}

/** Calls an operation with its examples or what differs from them, and expects a status and an error code. */
async function call(
  to: { readonly fetch: Fetch },
  name: OperationName,
  expected: number | string,
  options: SampleOptions & { readonly url?: string } = {},
): Promise<Told> {
  const operation = operations.get(name);
  assert.ok(operation, name);
  const request = sampleOf(options.url ?? URL_BASE, [name, operation], options);
  const told = await contract.call(name, request, to.fetch);
  const [status, code] = String(expected).split(" ");
  assert.equal(told.status, Number(status), `${name}: ${JSON.stringify(told.json)}`);
  if (code !== undefined) assert.equal((told.json as { code: string }).code, code, name);
  return told;
}

const isGuarded = (name: OperationName) =>
  [...contract.operations].some(([one, { responses }]) => one === name && "401" in responses);
const GUARDED = contract.operations.filter(([name]) => isGuarded(name));
const WITH_BODY = contract.operations.filter(([, { requestBody }]) =>
  requestBody?.content["application/json"]?.schema?.$ref !== undefined
);

part("every good answer is as /openapi.json describes it", async (t) => {
  await using runnel = await open();
  const step = (name: OperationName, run: () => Promise<unknown>) =>
    t.step(name, async () => void await run());
  const json = async (name: OperationName, options: SampleOptions = {}) =>
    (await call(runnel, name, 200, options)).json as Record<string, unknown>;
  const jsonType = { "content-type": "application/json" };

  for (const [name] of contract.operations.filter(([, { tags }]) => tags.includes("Pages"))) {
    await step(name, () => call(runnel, name, 200));
  }
  for (const name of ["/openapi.json", "/asyncapi.json", "/health/live", "/health/ready"]) {
    await step(`GET ${name}`, () => call(runnel, `GET ${name}`, 200));
  }
  await step("GET /metrics", () => call(runnel, "GET /metrics", 200));
  for (const name of ["GET /client.js", "GET /client.d.ts"] as const) {
    await step(name, async () => {
      const { headers } = await call(runnel, name, 200);
      const known = { "if-none-match": headers.get("etag") ?? "" };
      await call(runnel, name, 304, { headers: known });
    });
  }
  await step("POST /publish", async () => {
    await json("POST /publish");
    const all = {
      ...{ topic: "orders.eu", dataBase64: "AAEC", type: "t", key: "k", headers: { a: "b" } },
      ...{ contentType: "image/png", idempotencyKey: "i", ttlMs: 60_000, durability: "stored" },
    };
    assert.equal((await json("POST /publish", { json: all })).duplicate, false);
    assert.equal((await json("POST /publish", { json: all })).duplicate, true);
    const confirm = { subscribers: 1, timeoutMs: 1 };
    const confirmed = await json("POST /publish", { json: { topic: "a", data: 1, confirm } });
    assert.equal(confirmed.confirmed, false);
    const ephemeral = { topic: "a", data: null, durability: "ephemeral" };
    assert.equal((await json("POST /publish", { json: ephemeral })).id, null);
  });
  await step("POST /publish/{topic}", async () => {
    await json("POST /publish/{topic}");
    await json("POST /publish/{topic}", {
      body: new Uint8Array([0, 255]),
      headers: { "content-type": "image/png", "x-runnel-type": "pixel" },
      search: "?key=k",
    });
    await json("POST /publish/{topic}", {
      body: "Hello",
      headers: { "content-type": "text/plain" },
    });
  });
  for (const name of ["POST /publish", "POST /publish/{topic}"] as const) {
    await step(`${name}: CloudEvents`, async () => {
      const first = { ...await json(name, { type: EVENT_TYPE }) };
      assert.deepEqual([first.topic, first.duplicate], ["orders.eu", name !== "POST /publish"]);
      const search = "?ttlMs=60000&idempotencyKey=once";
      assert.ok((await json(name, { type: EVENT_TYPE, search })).id);
      assert.equal((await json(name, { type: EVENT_BATCH_TYPE })).accepted, 2);
      await call(runnel, name, 207, { type: EVENT_BATCH_TYPE, json: [{ id: "no event" }] });
      // the attribute topic is not in both
      const own = { "ce-id": name, "content-type": "text/plain" };
      const headers = { ...eventHeaders(name), ...own };
      assert.ok((await json(name, { headers, body: "Hello" })).id);
    });
  }
  await step("POST /batch: CloudEvents", async () => {
    assert.equal((await json("POST /batch", { type: EVENT_BATCH_TYPE })).accepted, 2);
  });
  await step("DELETE /scheduled/{token}", async () => {
    const later = await json("POST /publish", { json: { topic: "a", data: 1, delayMs: 60_000 } });
    const { token } = later.scheduled as { token: string };
    await call(runnel, "DELETE /scheduled/{token}", 204, { params: { token } });
  });
  await step("POST /batch", async () => {
    await json("POST /batch");
    await json("POST /batch", { json: { messages: [{ topic: "a", data: 1 }], atomic: true } });
    await call(runnel, "POST /batch", 207, { json: [{ topic: "a", data: 1 }, { topic: "*" }] });
    const { parts } = await call(runnel, "POST /batch", 200, {
      body:
        '{"topic":"a","data":1}\n{"topic":"*"}\nno JSON\n{"topic":"a","data":1,"delayMs":60000}\n',
      headers: { "content-type": LINES },
    });
    assert.deepEqual(parts, ["result", "result", "result", "result", "summary"]);
  });
  for (const name of ["GET /subscribe", "GET /subscribe/{topic}"] as const) {
    await step(name, async () => {
      const topic = name === "GET /subscribe" ? "topic=orders.eu&" : "";
      for (const accept of [EVENTS, LINES]) {
        const read = async (rest: string) =>
          (await call(runnel, name, 200, {
            search: `?${topic}wait=0&since=earliest${rest}`,
            headers: { accept },
          })).parts;
        const seen = new Set(await read(""));
        assert.deepEqual(["$ready", "message", "$bye"].filter((part) => !seen.has(part)), []);
        assert.ok((await read("&format=data")).length > 4);
        assert.ok((await read("&format=cloudevents")).includes("cloudevent"));
        const work = new Set(await read(`&group=${accept.slice(-3)}&max=2&limit=2`));
        assert.deepEqual(["$ready", "leased"].filter((part) => !work.has(part)), []);
      }
    });
  }
  await step("POST /pull", async () => {
    await json("POST /pull", { json: { topic: "jobs", group: "workers" } });
    await json("POST /publish", { json: { topic: "jobs", data: 1 } });
    const pulled = await json("POST /pull", {
      json: { topic: "jobs", group: "workers", consumer: "c", attempt: 1, leaseMs: 60_000 },
    });
    const [message] = pulled.messages as { id: string }[];
    assert.ok(message);
    const { lease } = pulled;
    const held = { topic: "jobs", group: "workers", ids: [message.id], lease };
    assert.equal((await json("POST /ack", { json: { ...held, outcome: "extend" } })).done, 1);
    assert.equal((await json("POST /ack", { json: { ...held, outcome: "nack" } })).done, 1);
    await json("POST /ack");
  });
  await step("POST /ack", async () => {
    await using stream = await openStream(`${runnel.url}/subscribe/confirmed`);
    const [ready] = await stream.until("$ready");
    const { subscription } = JSON.parse(ready!.data);
    const ids = ["1767225600000-65536"];
    await json("POST /ack", { json: { topic: "confirmed", ids, subscription } });
  });
  await step("POST /request", async () => {
    for (const replies of [undefined, 1]) {
      const ask = { topic: "sums", data: [1, 2], ...(replies === undefined ? {} : { replies }) };
      await json("POST /pull", { json: { topic: "sums", group: "g" } });
      const asked = json("POST /request", { json: ask });
      const pulled = await json("POST /pull", {
        json: { topic: "sums", group: "g", waitMs: 20_000 },
      });
      const [message] = pulled.messages as { replyTo: string }[];
      const reply = { replyTo: message!.replyTo, data: 3, headers: { a: "b" } };
      await call(runnel, "POST /reply", 202, { json: reply });
      await asked;
    }
  });
  await step("GET /topics", async () => {
    await json("GET /topics", { search: "?prefix=o&limit=1&after=a" });
    assert.ok((await json("GET /topics", { search: "?limit=1" })).next);
  });
  await step("GET /topics/{topic}", async () => {
    const { groups } = await json("GET /topics/{topic}", { params: { topic: "jobs" } });
    assert.equal((groups as unknown[]).length, 1);
  });
  await step("PUT /topics/{topic}", () => json("PUT /topics/{topic}"));
  await step("GET /topics/{topic}/messages", async () => {
    const page = await json("GET /topics/{topic}/messages", { search: "?limit=1&order=desc" });
    assert.ok(page.next);
  });
  await step("PUT /topics/{topic}/groups/{group}", async () => {
    const name = "PUT /topics/{topic}/groups/{group}";
    await json(name);
    await json(name, { json: { since: "earliest", maxDeliveries: null } });
  });
  await step("POST /topics/{topic}/redrive", async () => {
    await json("POST /topics/{topic}/redrive");
    await json("POST /topics/{topic}/redrive", { json: { ids: ["1-0"], group: "workers" } });
  });
  await step("DELETE /topics/{topic}/groups/{group}", async () => {
    await call(runnel, "DELETE /topics/{topic}/groups/{group}", 204);
  });
  await step("DELETE /topics/{topic}", () => call(runnel, "DELETE /topics/{topic}", 204));
  await step("POST /token", async () => {
    await json("POST /token");
    await json("POST /token", { body: "{}", headers: jsonType });
  });
});

/** The headers of an operation that make a CloudEvent, as the description has them. */
function eventHeaders(name: OperationName): Record<string, string> {
  const { parameters = [] } = operations.get(name) ?? {};
  const headers = parameters.filter((one) => one.in === "header" && one.name.startsWith("ce-"));
  return Object.fromEntries(headers.map((one) => [one.name, String(one.example)]));
}

/** Reads events of a stream until there were enough, each as both documents describe it. */
async function readEvents(
  stream: EventStream,
  events: ReadonlyMap<string, EventCheck>,
  seen: Set<string>,
  enough: () => boolean,
): Promise<void> {
  while (!enough()) {
    const block = await stream.nextBlock();
    if (block === undefined) return;
    const before = stream.blocks.at(-2);
    const checked = contract.checkBlock(EVENT_PLACE, [block, before], block.event);
    const check = events.get(checked.name);
    assert.ok(check, checked.name);
    check(checked);
    seen.add(checked.name);
  }
}

const EVENT_PLACE = [
  ...["paths", "/subscribe/{topic}", "get", "responses", "200", "content", EVENTS, "x-parts"],
];

type EventCheck = (block: Block) => void;

/** How each event is checked that /asyncapi.json describes, by its name. */
async function describedEvents({ fetch }: Runnel): Promise<ReadonlyMap<string, EventCheck>> {
  const document: AsyncApiDocument = await (await fetch(new Request(`${URL_BASE}/asyncapi.json`)))
    .json();
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: "streams" });
  const messages = Object.entries(document.components.messages).filter(([key]) =>
    key.startsWith("sse_")
  );
  return new Map(messages.map(([key, { name, payload }]): [string, EventCheck] => {
    const at = (field: string) =>
      ajv.compile({ $ref: `streams#/components/messages/${key}/${field}` });
    const fits = at("headers");
    const isPayload = payload === undefined ? () => true : at("payload");
    return [name, ({ data, fields }) => {
      assert.ok(fits(fields) && isPayload(data), `${key}: ${JSON.stringify([fields, data])}`);
    }];
  }));
}

part("every event of a stream is as /openapi.json and /asyncapi.json describe it", async () => {
  await using runnel = await open({ RUNNEL_HEARTBEAT_MS: "1000" });
  const events = await describedEvents(runnel);
  const publish = async (topic: string, fields: Record<string, unknown>) => {
    await call(runnel, "POST /publish", 200, { json: { topic, ...fields } });
  };
  await call(runnel, "PUT /topics/{topic}", 200, {
    params: { topic: "short" },
    json: { maxMessages: 1 },
  });
  for (const data of [1, 2, 3]) await publish("short", { data });
  const stream = await openStream(`${runnel.url}/subscribe/short`, {
    headers: { "last-event-id": "1-0" },
  });
  const seen = new Set<string>();
  const read = (enough: () => boolean) => readEvents(stream, events, seen, enough);
  await read(() => seen.has("$gap") && seen.has("message"));
  await publish("short", { data: 4, type: "named" });
  await read(() => seen.has("heartbeat"));
  await using work = await openStream(`${runnel.url}/subscribe/short?group=g&since=earliest`);
  await readEvents(work, events, seen, () => seen.has("leased"));
  for (const query of ["since=earliest", "group=h&since=earliest"]) {
    seen.delete("cloudevent");
    await using stream = await openStream(
      `${runnel.url}/subscribe/short?format=cloudevents&${query}`,
    );
    await readEvents(stream, events, seen, () => seen.has("cloudevent"));
  }
  await using stats = await openStream(`${runnel.url}/subscribe/$stats`);
  await stats.until("stats");
  const report = JSON.parse(stats.blocks.at(-1)?.data ?? "");
  contract.validate([...EVENT_PLACE, "stats", "schema"], report, "stats");
  events.get("stats")?.({ name: "stats", data: report, fields: { event: "stats" } });
  const closing = runnel.close();
  await read(() => seen.has("$bye"));
  await stream.close();
  await closing;
  const expected = ["$bye", "$gap", "$ready", "cloudevent", "heartbeat", "leased", "message"];
  assert.deepEqual([...seen].sort(), expected);
});

part("$auth-expiring is as /openapi.json and /asyncapi.json describe it", async () => {
  await using runnel = await open(JWT_ENV);
  const headers = bearer(await token(ALL, { endsIn: 1 }));
  await using stream = await openStream(`${runnel.url}/subscribe/a`, { headers });
  const seen = new Set<string>();
  await readEvents(stream, await describedEvents(runnel), seen, () => seen.has("$bye"));
  assert.ok(seen.has("$auth-expiring"));
  const { parts } = await call(runnel, "GET /subscribe/{topic}", 200, {
    headers: { ...bearer(await token(ALL, { endsIn: 1 })), accept: LINES },
  });
  assert.ok(parts.includes("$auth-expiring") && parts.includes("$bye"), parts.join());
});

part("an error that each route of its kind has is as /openapi.json describes it", async (t) => {
  await using runnel = await open({ RUNNEL_ALLOW_OPEN: "0", RUNNEL_MAX_BODY_BYTES: "1024" });
  await using guarded = await open(AUTH_ENV);
  await using away = await openRunnel({ redisUrl: "redis://127.0.0.1:1", logLevel: "silent" });
  await using closed = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_AUTH: "" },
    logLevel: "silent",
  });
  for (const [name, operation] of GUARDED) {
    await t.step(name, async () => {
      await call(guarded, name, "401 unauthenticated");
      await call(guarded, name, "401 invalid_token", { headers: bearer("x") });
      if ("403" in operation.responses && operation.description.includes("Needs the right")) {
        await call(guarded, name, "403 forbidden", {
          headers: bearer(powerless.text),
          ...(name === "POST /batch"
            ? { json: { messages: [{ topic: "a", data: 1 }], atomic: true } }
            : {}),
          ...(name === "GET /subscribe" ? { search: "?topic=a" } : {}),
          ...(name === "DELETE /scheduled/{token}"
            ? { params: { token: await scheduled(guarded) } }
            : {}),
          ...(name === "POST /reply" ? { json: { replyTo: await asked(guarded), data: 1 } } : {}),
        });
      }
      const evil = { origin: "https://evil.example" };
      await call(runnel, name, "403 origin_not_allowed", { headers: evil });
      await call(runnel, name, "403 host_not_allowed", { url: "http://evil.example" });
      await call(runnel, name, "400 invalid_request", { search: "?nonsense=1" });
      const search = name === "GET /subscribe" ? "?topic=a" : "";
      // it tells that Redis is away, in place of failing
      const isTold = name === "GET /metrics";
      await call(away, name, isTold ? 200 : "503 redis_unavailable", { search });
      await call(closed, name, "503 auth_not_configured");
    });
  }
  for (const [name] of WITH_BODY) {
    await t.step(`${name}: its body`, async () => {
      await call(runnel, name, "400 invalid_json", { body: "{" });
      await call(runnel, name, "400 invalid_request", { json: { nonsense: 1 } });
      await call(runnel, name, "413 payload_too_large", { body: `"${"x".repeat(2_000)}"` });
      const headers = { "content-type": "text/csv" };
      await call(runnel, name, "415 unsupported_media_type", { headers });
    });
  }
});

/** The token of a message that is kept for later. */
async function scheduled(runnel: Runnel): Promise<string> {
  const { json } = await call(runnel, "POST /publish", 200, {
    json: { topic: "a", data: 1, delayMs: 600_000 },
    headers: bearer(other.text),
  });
  return (json as { scheduled: { token: string } }).scheduled.token;
}

/** Where a request wants its reply, which waits until the server ends. */
async function asked(runnel: Runnel): Promise<string> {
  const headers = { ...bearer(other.text), "content-type": "application/json" };
  const json = { topic: "asked", group: "g" };
  await call(runnel, "POST /pull", 200, { json, headers });
  const body = JSON.stringify({ topic: "asked", data: 1, timeoutMs: 60_000 });
  const request = new Request(`${URL_BASE}/request`, { method: "POST", headers, body });
  runnel.fetch(request).catch(() => {}); // The server ends before it is answered.
  const pulled = await call(runnel, "POST /pull", 200, {
    json: { ...json, waitMs: 20_000 },
    headers,
  });
  const [message] = (pulled.json as { messages: { replyTo: string }[] }).messages;
  return message!.replyTo;
}

part("what is wrong with the server itself is as /openapi.json describes it", async () => {
  const unconfigured = createMain(() =>
    Promise.try(() => {
      loadConfig((name) => name === "RUNNEL_MAX_TOPICS" ? "many" : undefined);
      throw new Error("a wrong configuration was taken");
    })
  );
  const broken = createMain(() => Promise.reject(new Error("broken for this test")));
  const silence = console.error;
  console.error = () => {};
  try {
    for (const [name] of contract.operations) {
      await call(unconfigured, name, "503 not_configured");
      await call(broken, name, "500 internal");
    }
  } finally {
    console.error = silence;
  }
});

part("errors that one operation has are as /openapi.json describes them", async (t) => {
  await using runnel = await open({
    ...AUTH_ENV,
    RUNNEL_PUBLISH_RATE: "20",
    RUNNEL_MAX_STREAMS_PER_IDENTITY: "1",
    RUNNEL_MAX_OPEN_REQUESTS: "1",
    RUNNEL_MAX_TOPICS: "2",
    RUNNEL_BACKLOG_FACTOR: "1",
  });
  const auth = bearer(limited.text);
  const refused = (name: OperationName, expected: string, options: SampleOptions = {}) =>
    t.step(`${name} ${expected}`, async () => {
      const headers = { ...auth, ...options.headers };
      await call(runnel, name, expected, { ...options, headers });
    });
  const quick = (name: OperationName, options: SampleOptions = {}) =>
    // with the right to publish of somebody else, whose messages of a second are not counted here
    call(runnel, name, 200, { ...options, headers: { ...bearer(other.text), ...options.headers } });

  for (const name of ["GET /topics/{topic}", "DELETE /topics/{topic}"] as const) {
    await refused(name, "404 not_found", { params: { topic: "none" } });
    await refused(name, "400 invalid_topic", { params: { topic: "a b" } });
  }
  await refused("GET /topics/{topic}/messages", "404 not_found", { params: { topic: "none" } });
  await refused("GET /topics/{topic}/messages", "400 invalid_cursor", { search: "?after=x" });
  await refused("DELETE /topics/{topic}/groups/{group}", "404 not_found");
  await refused("PUT /topics/{topic}/groups/{group}", "400 invalid_group", {
    params: { group: "*" },
  });
  await refused("DELETE /scheduled/{token}", "404 not_found", { params: { token: "none" } });
  await t.step("GET /docs/{page} 404 and 400", async () => {
    await call(runnel, "GET /docs/{page}", "404 not_found", { params: { page: "none" } });
    const request = new Request(`${URL_BASE}/docs/%ff`);
    assert.equal((await contract.call("GET /docs/{page}", request, runnel.fetch)).status, 400);
  });
  await refused("GET /subscribe", "406 not_acceptable", { headers: { accept: "image/png" } });
  await refused("GET /subscribe/{topic}", "406 not_acceptable", {
    headers: { accept: "image/png" },
  });
  await refused("GET /subscribe", "400 too_many_topics", { search: "?topic=a,b,c" });
  await refused("GET /subscribe/{topic}", "400 invalid_cursor", { search: "?since=never" });
  await refused("POST /reply", "410 requester_gone");
  await refused("POST /request", "504 no_reply", { json: { topic: "a", data: 1, timeoutMs: 1 } });

  await t.step("another payload for the same idempotency key", async () => {
    const first = { topic: "a", data: 1, idempotencyKey: "k" };
    await quick("POST /publish", { json: first });
    const second = { ...first, data: 2 };
    const headers = bearer(other.text);
    await call(runnel, "POST /publish", "409 idempotency_conflict", { json: second, headers });
    await call(runnel, "POST /publish/{topic}", "409 idempotency_conflict", {
      params: { topic: "a" },
      json: 2,
      search: "?idempotencyKey=k",
      headers,
    });
    const json = { messages: [{ topic: "a", data: 3 }, second], atomic: true };
    await call(runnel, "POST /batch", 207, { json, headers });
  });
  await t.step("a body as it is", async () => {
    const bodies = { headers: { ...auth, "content-type": "text/plain; charset=none" } };
    const name = "POST /publish/{topic}";
    await call(runnel, name, "415 unsupported_media_type", { body: "x", ...bodies });
    await call(runnel, name, "400 invalid_json", { body: "{", headers: auth });
    await call(runnel, name, "400 invalid_topic", { params: { topic: "*" }, headers: auth });
    await using small = await open({ RUNNEL_MAX_BODY_BYTES: "1024" });
    await call(small, name, "413 payload_too_large", { body: "x".repeat(2_000) });
  });
  await t.step("an attempt that a later one has overtaken", async () => {
    const json = { topic: "a", group: "g", consumer: "c" };
    await quick("POST /pull", { json: { ...json, attempt: 2 } });
    const headers = bearer(other.text);
    const late = { json: { ...json, attempt: 1 }, headers };
    await call(runnel, "POST /pull", "409 stale_attempt", late);
  });
  await t.step("a replica that there is not", async () => {
    const json = { topic: "a", data: 1, durability: "replicated" };
    const headers = bearer(other.text);
    await call(runnel, "POST /publish", "503 not_replicated", { json, headers });
  });
  await t.step("a topic that is full of work", async () => {
    const headers = bearer(busy.text);
    const params = { topic: "full" };
    await call(runnel, "PUT /topics/{topic}", 200, { params, json: { maxMessages: 1 }, headers });
    await call(runnel, "POST /pull", 200, { json: { topic: "full", group: "g" }, headers });
    const json = { topic: "full", data: 1 };
    await until(async () => {
      const request = sampleOf(URL_BASE, ["POST /publish", operations.get("POST /publish")!], {
        json,
        headers,
      });
      return (await runnel.fetch(request)).status === 507;
    });
    await call(runnel, "POST /publish", "507 topic_full", { json, headers });
    await call(runnel, "POST /request", "507 topic_full", { json, headers });
    await call(runnel, "POST /publish/{topic}", "507 topic_full", { params, json: 1, headers });
    const messages = { messages: [json], atomic: true };
    await call(runnel, "POST /batch", "507 topic_full", { json: messages, headers });
  });
  await t.step("too much at a time", async () => {
    const stream = await openStream(`${runnel.url}/subscribe/a`, { headers: auth });
    await stream.until("$ready");
    for (const name of ["GET /subscribe", "GET /subscribe/{topic}"] as const) {
      const search = name === "GET /subscribe" ? "?topic=a" : "";
      await call(runnel, name, "429 too_many_streams", { search, headers: auth });
    }
    await stream.close();
    const inbox = await asked(runnel);
    await call(runnel, "POST /request", "429 too_many_requests", { headers: bearer(other.text) });
    const headers = bearer(other.text);
    const json = { replyTo: inbox, data: 1, idempotencyKey: "k" };
    await call(runnel, "POST /reply", 202, { json, headers });
    const another = { json: { ...json, data: 2 }, headers };
    await call(runnel, "POST /reply", "409 idempotency_conflict", another);
  });
  const json: Readonly<Record<string, unknown>> = {
    "POST /batch": Array.from({ length: 20 }, () => ({ topic: "a", data: 1 })),
    "POST /request": { topic: "a", data: 1, timeoutMs: 1 },
  };
  for (
    const name of [
      ...["POST /publish", "POST /publish/{topic}"] as const,
      ...["POST /batch", "POST /request", "POST /reply"] as const,
    ]
  ) {
    await t.step(`${name} 429 rate_limited`, async () => {
      const headers = { ...auth, "content-type": "application/json" };
      const most = JSON.stringify(json["POST /batch"]);
      const options = { headers: auth, ...(json[name] === undefined ? {} : { json: json[name] }) };
      // what is taken in one second is there again in the next
      await until(async () => {
        const fill = new Request(`${URL_BASE}/batch`, { method: "POST", headers, body: most });
        await (await runnel.fetch(fill)).body?.cancel();
        const request = sampleOf(URL_BASE, [name, operations.get(name)!], options);
        return (await contract.call(name, request, runnel.fetch)).status === 429;
      }, { timeoutMs: 60_000 });
    });
  }
});

part("a topic whose key is somebody else's, and a method or path that there is not", async () => {
  await using runnel = await open({ RUNNEL_PREFIX: "wrong" });
  await redis.cli("SET", "{wrong:0}:t:taken", "x");
  const json = { topic: "taken", data: 1 };
  await call(runnel, "POST /publish", "500 wrong_type", { json });
  const place = ["components", "responses"];
  const send = (method: string, path: string) =>
    runnel.fetch(new Request(`${URL_BASE}${path}`, { method }));
  for (const path of Object.keys(contract.document.paths)) {
    const answer = await send("PATCH", path.replaceAll(/[{}]/g, ""));
    assert.equal(answer.status, 405);
    assert.ok(answer.headers.get("allow"));
    await contract.check([...place, "MethodNotAllowed"], answer, `PATCH ${path}`);
  }
  await contract.check([...place, "NotFound"], await send("GET", "/nothing"), "GET /nothing");
});

part("a server that ends refuses as /openapi.json describes it", async () => {
  const runnel = await open();
  await runnel.app.drain();
  await call(runnel, "POST /publish", "503 shutting_down");
  await call(runnel, "GET /subscribe/{topic}", "503 shutting_down");
  await call(runnel, "POST /pull", "503 shutting_down");
  await runnel.close();
});

Deno.test("every answer that is described is as it is described", async (t) => {
  for (const [name, run] of PARTS) await t.step(name, run);

  const described = contract.operations.flatMap(([name, { responses }]) =>
    Object.keys(responses).map((status) => [name, status] as const)
  );
  const unseen = described.filter(([name, status]) => !contract.seen.has(`${name} ${status}`))
    .filter(([, status]) => UNPROVOKED[status] === undefined)
    .map(([name, status]) => `${name} ${status}`);
  assert.deepEqual(unseen.sort(), Object.keys(UNPROVOKED_AT).sort());
  const codes = new Set(
    contract.operations.flatMap(([, { responses }]) =>
      Object.values(responses).flatMap(({ content = {} }) =>
        Object.values(content).flatMap(({ schema }) => schema?.properties?.code?.enum ?? [])
      )
    ),
  );
  const hidden = [...codes].filter((code) => !contract.codes.has(String(code)));
  assert.deepEqual(hidden.sort(), Object.keys(UNPROVOKED_CODES).sort());
});
