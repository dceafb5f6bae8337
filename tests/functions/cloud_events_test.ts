import assert from "node:assert/strict";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import { asPublished, readSdkEvent, sendBatch, sendMessage } from "../_support/cloud_events.ts";
import { bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { type Fixture, startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publish, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import { openStream } from "../_support/sse.ts";

const STRUCTURED = { "content-type": "application/cloudevents+json" };
const ACCEPT = { accept: "application/x-ndjson" };

const created = new CloudEvent({
  id: "A-1",
  source: "https://shop.example/orders",
  type: "com.example.order.created",
  subject: "order/7",
  time: "2026-01-02T03:04:05.678Z",
  dataschema: "https://shop.example/order.json",
  datacontenttype: "application/json",
  sampledrate: 5,
  vip: true,
  region: "eu",
  data: { id: 7, name: "Zoë 🌍" },
});

const plain = JSON.parse(created.toString());

/** The events of a topic, as the JSON that a subscriber gets. */
async function received(url: string, topic: string): Promise<string[]> {
  const path = `${url}/subscribe/${topic}?since=earliest&wait=0&format=cloudevents`;
  await using stream = await openStream(path);
  const events = await stream.rest();
  return events.filter(({ event }) => !event.startsWith("$")).map(({ data }) => data);
}

Deno.test("POST /publish/{topic} takes an event in each mode of the official SDK, and gives it back", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const once = async (topic: string) => {
    const all = await received(url, topic);
    assert.equal(all.length, 1);
    return all[0] ?? "";
  };
  await t.step("structured", async () => {
    const answer = await sendMessage(`${url}/publish/structured`, HTTP.structured(created));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.topic, "structured");
    const json = await once("structured");
    assert.deepEqual(asPublished(json), plain);
    const { runnelid, runneltopic, ...event } = readSdkEvent(json);
    assert.deepEqual([runnelid, runneltopic], [answer.body.id, "structured"]);
    assert.deepEqual(event, { ...created });
  });
  await t.step("binary, where every attribute is text", async () => {
    const answer = await sendMessage(`${url}/publish/binary`, HTTP.binary(created));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(asPublished(await once("binary")), {
      ...plain,
      sampledrate: "5",
      vip: "true",
    });
  });
  await t.step("a batch", async () => {
    const { status, body } = await sendBatch(`${url}/publish/batch`, [created]);
    assert.deepEqual([status, body.accepted, body.rejected], [200, 1, 0]);
    assert.deepEqual(asPublished(await once("batch")), plain);
  });
});

Deno.test("the SDK's own emitter publishes, in both modes", async () => {
  await using fixture = await startRunnel();
  const sink = `${fixture.url}/publish/t`;
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    const emit = emitterFor(httpTransport(sink), { mode });
    // the transport of the SDK types its answer as unknown
    const { body } = await emit(created.cloneWith({ id: mode })) as { body: string };
    assert.equal(JSON.parse(body).topic, "t", body);
  }
  const ids = (await received(fixture.url, "t")).map((json) => JSON.parse(json).id);
  assert.deepEqual(ids, [Mode.BINARY, Mode.STRUCTURED]);
});

Deno.test("an event's type is the message's, and what else it says are headers", async () => {
  await using fixture = await startRunnel();
  await sendMessage(`${fixture.url}/publish/t`, HTTP.structured(created));
  const [message] = await readHistory(fixture.url, "t");
  assert.equal(message?.type, "com.example.order.created");
  assert.equal(message?.contentType, "application/json");
  assert.deepEqual(message?.data, created.data);
  assert.equal(message?.headers?.["ce-id"], "A-1");
  assert.equal(message?.headers?.["ce-subject"], "order/7");
  await using stream = await openStream(
    `${fixture.url}/subscribe/t?since=earliest&format=cloudevents`,
  );
  const event = (await stream.until("com.example.order.created")).at(-1);
  assert.equal(event?.id, message?.id, "the id of the stream is the cursor");
});

Deno.test("POST /publish goes where the event's attribute topic says", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const aimed = created.cloneWith({ topic: "orders.eu" });
  const another = aimed.cloneWith({ id: "A-2" });
  const modes = { structured: HTTP.structured(aimed), binary: HTTP.binary(another) };
  for (const [mode, message] of Object.entries(modes)) {
    await t.step(mode, async () => {
      const { status, body } = await sendMessage(`${url}/publish`, message);
      assert.deepEqual([status, body.topic], [200, "orders.eu"], JSON.stringify(body));
    });
  }
  await t.step("which comes back with it", async () => {
    assert.equal(JSON.parse((await received(url, "orders.eu"))[0] ?? "").topic, "orders.eu");
  });
  await t.step("but the path goes before it", async () => {
    const { body } = await sendMessage(`${url}/publish/other`, HTTP.structured(aimed));
    assert.equal(body.topic, "other");
  });
  const cases = [
    ["none in JSON", HTTP.structured(created), "#/topic"],
    ["none in headers", HTTP.binary(created), "ce-topic"],
    ["a wrong one", HTTP.structured(created.cloneWith({ topic: "a b" })), "#/topic"],
    ["a reserved one", HTTP.binary(created.cloneWith({ topic: "$x" })), "ce-topic"],
    ["one that is no text", HTTP.structured(created.cloneWith({ topic: 5 })), "#/topic"],
  ] as const;
  for (const [name, message, pointer] of cases) {
    await t.step(`${name} is refused`, async () => {
      const answer = await sendMessage(`${url}/publish`, message);
      assertProblem(answer, { status: 400, code: "invalid_topic", pointer });
    });
  }
});

Deno.test("an event with the same source and id is stored once, in whatever mode it is sent again", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const event = new CloudEvent({
    ...{ id: "1", source: "/s", type: "x", time: "2026-01-02T03:04:05.678Z" },
    ...{ datacontenttype: "application/json", data: { a: 1 } },
  });
  const first = await sendMessage(`${url}/publish/t`, HTTP.structured(event));
  const again = await sendMessage(`${url}/publish/t`, HTTP.binary(event));
  assert.deepEqual(again.body, { ...first.body, duplicate: true });
  const { status, body } = await sendBatch(`${url}/publish/t`, [
    event,
    event.cloneWith({ id: "2" }),
    event.cloneWith({ id: "2" }),
    event.cloneWith({ source: "/other" }),
  ]);
  assert.deepEqual([status, body.accepted], [200, 4], JSON.stringify(body));
  const results = body.results as { id: string; duplicate?: true }[];
  assert.deepEqual(results.map(({ duplicate = false }) => duplicate), [true, false, true, false]);
  assert.equal(results[0]?.id, first.body.id);
  assert.equal(results[1]?.id, results[2]?.id);
  assert.equal((await received(url, "t")).length, 3);
  const changed = await sendMessage(
    `${url}/publish/t`,
    HTTP.structured(event.cloneWith({ data: 2 })),
  );
  assertProblem(changed, { status: 409, code: "idempotency_conflict" });
});

Deno.test("an event's identity may be long, and a key that is named goes before it", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const event = created.cloneWith({ source: `/${"s".repeat(3_000)}` });
  const first = await sendMessage(`${url}/publish/t`, HTTP.structured(event));
  assert.equal(first.body.duplicate, false, JSON.stringify(first.body));
  const again = await sendMessage(`${url}/publish/t`, HTTP.structured(event));
  assert.equal(again.body.duplicate, true);
  for (const named of [{ headers: { "idempotency-key": "k" } }, { path: "?idempotencyKey=k2" }]) {
    const { path = "", ...options } = { path: "", ...named };
    const answer = await sendMessage(`${url}/publish/t${path}`, HTTP.structured(event), options);
    assert.equal(answer.body.duplicate, false, JSON.stringify(answer.body));
  }
  const both = await sendMessage(`${url}/publish/t?idempotencyKey=a`, HTTP.structured(event), {
    headers: { "idempotency-key": "b" },
  });
  assertProblem(both, { status: 400, code: "invalid_request", pointer: "idempotency-key" });
});

Deno.test("bytes, text and no data at all come back as they were", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const bytes = Uint8Array.of(0, 255, 10, 13, 128);
  const base = { source: "/s", type: "x", time: "2026-01-02T03:04:05.678Z" };
  const cases = {
    bytes: { datacontenttype: "image/png", data: bytes },
    "text of its own type": { datacontenttype: "text/xml", data: "<p>ü\r\n\u2028</p>" },
    text: { datacontenttype: "text/plain", data: "ü 🌍" },
    "a JSON text": { datacontenttype: "application/json", data: '"' },
    list: { data: [1, "ü", null] },
    nothing: {},
  };
  for (const [name, fields] of Object.entries(cases)) {
    const event = new CloudEvent<unknown>({ ...base, id: name, ...fields });
    await t.step(`${name}, structured`, async () => {
      const topic = `s.${name.replaceAll(" ", "")}`;
      const { status, body } = await sendMessage(`${url}/publish/${topic}`, HTTP.structured(event));
      assert.equal(status, 200, JSON.stringify(body));
      const [json = ""] = await received(url, topic);
      assert.deepEqual(asPublished(json), JSON.parse(event.toString()));
      assert.equal(readSdkEvent(json).data_base64, event.data_base64);
    });
  }
  for (const name of ["bytes", "text", "list"] as const) {
    const event = new CloudEvent<unknown>({ ...base, id: name, ...cases[name] });
    await t.step(`${name}, binary`, async () => {
      await sendMessage(`${url}/publish/b.${name}`, HTTP.binary(event));
      const [json = ""] = await received(url, `b.${name}`);
      const wanted = JSON.parse(event.toString());
      const { datacontenttype = "application/json; charset=utf-8" } = wanted;
      assert.deepEqual(asPublished(json), { ...wanted, datacontenttype });
    });
  }
});

Deno.test("attributes in headers are percent-decoded once, and may be quoted", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const answer = await send(`${url}/publish/t`, {
    method: "POST",
    headers: {
      "ce-specversion": "1.0",
      "ce-id": "%2541%F0%9F%98%80",
      "ce-source": "/a%2520b",
      "ce-type": '"a \\"quoted\\" type"',
      "ce-subject": "Euro%20%e2%82%AC",
    },
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(asPublished((await received(url, "t"))[0] ?? ""), {
    specversion: "1.0",
    id: "%41😀",
    source: "/a%20b",
    type: 'a "quoted" type',
    subject: "Euro €",
  });
});

Deno.test("what is no event is refused, and the answer points at the attribute", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const { id: _id, ...without } = plain;
  const structured: [string, unknown, string][] = [
    ["no id", without, "#/id"],
    ["an empty source", { ...plain, source: "" }, "#/source"],
    ["a source that is none", { ...plain, source: "a b" }, "#/source"],
    ["another version", { ...plain, specversion: "0.3" }, "#/specversion"],
    ["a type that is no text", { ...plain, type: 5 }, "#/type"],
    ["a time that is none", { ...plain, time: "yesterday" }, "#/time"],
    ["a schema that is relative", { ...plain, dataschema: "/x" }, "#/dataschema"],
    ["a name in capitals", { ...plain, traceParent: "x" }, "#/traceParent"],
    ["an object as an extension", { ...plain, ext: {} }, "#/ext"],
    ["a fraction as an extension", { ...plain, ext: 1.5 }, "#/ext"],
    ["a control character", { ...plain, subject: "a\u0000" }, "#/subject"],
    ["broken base64", { ...without, id: "1", data_base64: "?" }, "#/data_base64"],
    ["two payloads", { ...plain, data_base64: "AA==" }, "#/data"],
    ["an object as XML", { ...plain, datacontenttype: "text/xml" }, "#/data"],
    ["an empty key", { ...plain, partitionkey: "" }, "#/partitionkey"],
    ["a list", [plain], "#"],
  ];
  for (const [name, event, pointer] of structured) {
    await t.step(name, async () => {
      const body = JSON.stringify(event);
      const answer = await send(`${url}/publish/t`, { body, headers: STRUCTURED });
      assertProblem(answer, { status: 400, code: "invalid_request", pointer });
    });
  }
  await t.step("JSON that is none", async () => {
    const answer = await send(`${url}/publish/t`, { body: "{", headers: STRUCTURED });
    assertProblem(answer, { status: 400, code: "invalid_json", pointer: "#" });
  });
  const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
  const binary: [string, Record<string, string>, string][] = [
    ["a header without the version", { "ce-specversion": "" }, "ce-specversion"],
    ["a percent sign alone", { "ce-subject": "100%" }, "ce-subject"],
    ["an overlong encoding", { "ce-subject": "%C0%A0" }, "ce-subject"],
    ["bytes that are not UTF-8", { "ce-subject": "\xff" }, "ce-subject"],
    ["a type twice", { "ce-datacontenttype": "text/plain" }, "ce-datacontenttype"],
  ];
  for (const [name, changes, pointer] of binary) {
    await t.step(name, async () => {
      const answer = await send(`${url}/publish/t`, {
        method: "POST",
        headers: { ...headers, ...changes },
      });
      assertProblem(answer, { status: 400, code: "invalid_request", pointer });
    });
  }
  await t.step("a text that the SDK sends as JSON", async () => {
    const { id, source, type } = created;
    const event = new CloudEvent({ id, source, type, data: "hello" });
    const answer = await sendMessage(`${url}/publish/t`, HTTP.binary(event));
    assertProblem(answer, { status: 400, code: "invalid_json" });
  });
  await t.step("an event that says an option", async () => {
    const answer = await sendMessage(`${url}/publish/t?type=x`, HTTP.structured(created));
    assertProblem(answer, { status: 400, code: "invalid_request", pointer: "?type" });
  });
  assert.deepEqual(await received(url, "t"), []);
});

Deno.test("a batch of events is answered one by one; each needs a topic of its own at /batch", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const { status, body } = await sendBatch(`${url}/batch`, [
    created.cloneWith({ topic: "a" }),
    { ...plain, topic: "b", source: "" },
    created,
    5,
    created.cloneWith({ topic: "c" }),
  ]);
  assert.deepEqual([status, body.accepted, body.rejected], [207, 2, 3]);
  const errors = (body.results as { error?: { code: string; errors: { pointer: string }[] } }[])
    .map(({ error }) => error && [error.code, error.errors[0]?.pointer]);
  assert.deepEqual(errors, [
    undefined,
    ["invalid_request", "#/source"],
    ["invalid_topic", "#/topic"],
    ["invalid_request", "#"],
    undefined,
  ]);
  assert.deepEqual(
    await Promise.all(["a", "b", "c"].map(async (t) => (await received(url, t)).length)),
    [1, 0, 1],
  );
});

Deno.test("a batch may be empty, and a single event is no batch", async () => {
  await using fixture = await startRunnel();
  for (const path of ["/batch", "/publish", "/publish/t"]) {
    const { status, body } = await sendBatch(fixture.url + path, []);
    assert.deepEqual([status, body], [200, { accepted: 0, rejected: 0, results: [] }], path);
  }
  for (const message of [HTTP.structured(created), HTTP.binary(created)]) {
    const answer = await sendMessage(`${fixture.url}/batch`, message);
    assertProblem(answer, { status: 415, code: "unsupported_media_type" });
  }
});

Deno.test("events are as large as other messages may be", async () => {
  await using fixture = await startRunnel({
    env: {
      RUNNEL_MAX_BODY_BYTES: "20000",
      RUNNEL_MAX_MESSAGE_BYTES: "10000",
      RUNNEL_MAX_HEADER_BYTES: "5000",
    },
  });
  const { url } = fixture;
  const tooLarge = { status: 413, code: "payload_too_large" };
  const sized = (fields: Record<string, unknown>) =>
    HTTP.structured(created.cloneWith({ ...fields }));
  assertProblem(
    await sendMessage(`${url}/publish/t`, sized({ data: "x".repeat(20_000) })),
    tooLarge,
  );
  const message = await sendMessage(`${url}/publish/t`, sized({ data: "x".repeat(12_000) }));
  assertProblem(message, { ...tooLarge, pointer: "#" });
  const headers = await sendMessage(`${url}/publish/t`, sized({ ext: "x".repeat(6_000) }));
  assertProblem(headers, { ...tooLarge, pointer: "#/headers" });
  const batch = await sendBatch(`${url}/publish/t`, [
    created,
    created.cloneWith({ id: "2", data: "x".repeat(12_000) }),
  ]);
  assert.deepEqual([batch.status, batch.body.accepted, batch.body.rejected], [207, 1, 1]);
});

Deno.test("an event is published where its sender may publish, and nowhere else", async () => {
  await using fixture = await startRunnel({ env: JWT_ENV });
  const { url } = fixture;
  const headers = bearer(await token({ publish: ["orders.*"] }));
  for (const make of [HTTP.structured, HTTP.binary]) {
    const to = (topic: string) => created.cloneWith({ topic, id: make.name });
    const allowed = await sendMessage(`${url}/publish`, make(to("orders.eu")), { headers });
    assert.equal(allowed.status, 200, JSON.stringify(allowed.body));
    const forbidden = { status: 403, code: "forbidden" };
    assertProblem(await sendMessage(`${url}/publish`, make(to("other")), { headers }), forbidden);
    // what the event says must not open another topic than the path's
    const inPath = await sendMessage(`${url}/publish/other`, make(to("orders.eu")), { headers });
    assertProblem(inPath, forbidden);
    assertProblem(await sendMessage(`${url}/publish`, make(to("orders.eu"))), {
      status: 401,
      code: "unauthenticated",
    });
  }
  const events = ["orders.us", "other"].map((topic) => created.cloneWith({ topic }));
  const batch = await sendBatch(`${url}/batch`, events, { headers });
  assert.deepEqual([batch.status, batch.body.accepted, batch.body.rejected], [207, 1, 1]);
});

Deno.test("events are published as their options say", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const path = `${url}/subscribe/t?format=cloudevents`;
  await using stream = await openStream(path);
  await stream.until("$ready");
  const passing = await sendMessage(`${url}/publish/t?durability=ephemeral`, HTTP.binary(created));
  assert.deepEqual([passing.status, passing.body.id], [200, null], JSON.stringify(passing.body));
  const live = (await stream.until(created.type)).at(-1);
  const event = JSON.parse(live?.data ?? "");
  assert.deepEqual([event.id, "runnelid" in event], ["A-1", false]);
  const later = await sendMessage(`${url}/publish/t`, HTTP.structured(created), {
    headers: { "x-runnel-delay-ms": "3600000" },
  });
  assert.ok(later.body.scheduled, JSON.stringify(later.body));
});

Deno.test("GET /subscribe with format=cloudevents makes an event of any message", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const topic = "a/b:ü";
  await publish(url, { topic, data: { n: 1 } });
  await publish(url, {
    topic,
    data: "x",
    type: "note",
    key: "k",
    headers: { region: "eu", "X-A": "1" },
  });
  await send(`${url}/publish/${encodeURIComponent(topic)}`, {
    body: Uint8Array.of(0, 255),
    headers: { "content-type": "image/png" },
  });
  const messages = await readHistory(url, topic);
  const events = await received(url, encodeURIComponent(topic));
  events.forEach(readSdkEvent);
  const common = messages.map(({ id, time }) => ({
    ...{ specversion: "1.0", id, time, source: "/topics/a%2Fb%3A%C3%BC" },
    ...{ runnelid: id, runneltopic: topic },
  }));
  assert.deepEqual(events.map((json) => JSON.parse(json)), [
    { ...common[0], type: "runnel.message", data: { n: 1 } },
    { ...common[1], type: "note", partitionkey: "k", region: "eu", data: "x" },
    { ...common[2], type: "runnel.message", datacontenttype: "image/png", data_base64: "AP8=" },
  ]);
});

Deno.test("GET /subscribe as NDJSON gives events as lines, and its own as before", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await sendMessage(`${url}/publish/t`, HTTP.structured(created));
  const path = `${url}/subscribe/t?since=earliest&wait=0&format=cloudevents`;
  const [ready, line, bye] = await readNdjson(await fetch(path, { headers: ACCEPT }));
  assert.deepEqual([ready?.event, bye?.event], ["$ready", "$bye"]);
  assert.deepEqual(asPublished(JSON.stringify(line)), plain);
});

Deno.test("an event over several partitions carries the cursor to go on from", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_PARTITIONS: "4" } });
  const { url } = fixture;
  for (const id of ["1", "2", "3"]) {
    await sendMessage(`${url}/publish/t${id}`, HTTP.structured(created.cloneWith({ id })));
  }
  const path = (start: string) => `${url}/subscribe?topic=*&wait=0&format=cloudevents&${start}`;
  const lines = await readNdjson(await fetch(path("since=earliest"), { headers: ACCEPT }));
  const events = lines.filter((line) => "specversion" in line);
  assert.equal(events.length, 3);
  const cursor = encodeURIComponent(String(events[1]?.runnelcursor));
  const rest = await readNdjson(await fetch(path(`lastEventId=${cursor}`), { headers: ACCEPT }));
  assert.deepEqual(
    rest.filter((line) => "specversion" in line).map(({ id }) => id),
    [events[2]?.id],
  );
});

Deno.test("a group's consumer gets events with what it needs to acknowledge them", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await sendMessage(`${url}/publish/jobs`, HTTP.structured(created));
  const path = `${url}/subscribe/jobs?group=g&since=earliest&format=cloudevents`;
  await using stream = await openStream(path);
  const event = (await stream.until(created.type)).at(-1);
  const { runnelid, runneldeliveries, runnellease, runnelleaseuntil } = JSON.parse(
    event?.data ?? "",
  );
  assert.deepEqual([runneldeliveries, typeof runnellease], [1, "string"]);
  assert.ok(Date.parse(runnelleaseuntil) > 0);
  assert.deepEqual(readSdkEvent(event?.data ?? "").data, created.data);
  const json = { topic: "jobs", group: "g", ids: [runnelid], outcome: "nack", lease: runnellease };
  const { body } = await send(`${url}/ack`, { json });
  assert.equal(body.done, 1, JSON.stringify(body));
});

Deno.test("an event that comes from a Runnel can be published to the next", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await sendMessage(`${url}/publish/a`, HTTP.structured(created));
  const [json = ""] = await received(url, "a");
  const sent = await sendMessage(`${url}/publish/b`, HTTP.structured(readSdkEvent(json)));
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const [again = ""] = await received(url, "b");
  assert.deepEqual(asPublished(again), plain);
  assert.equal(JSON.parse(again).runneltopic, "b");
});

Deno.test("conflate=1 keeps the newest event of each partitionkey", async () => {
  await using fixture: Fixture = await startRunnel();
  const { url } = fixture;
  for (const id of ["1", "2", "3"]) {
    const event = created.cloneWith({ id, partitionkey: id === "3" ? "b" : "a" });
    await sendMessage(`${url}/publish/t`, HTTP.structured(event));
  }
  const path = `${url}/subscribe/t?since=earliest&wait=0&format=cloudevents&conflate=1`;
  const lines = await readNdjson(await fetch(path, { headers: ACCEPT }));
  const events = lines.filter((line) => "specversion" in line);
  assert.deepEqual(events.map(({ id, partitionkey }) => [id, partitionkey]), [["2", "a"], [
    "3",
    "b",
  ]]);
});
