import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { deadline } from "../_support/until.ts";

const BAD_TOPICS: [string, string][] = [
  ["empty", ""],
  ["white space", "a b"],
  ["a tab", "a\tb"],
  ["a line break", "a\nb"],
  ["NUL", "a\0b"],
  ["DEL", "a\x7fb"],
  ["a no-break space", "a\u00a0b"],
  ["a zero-width joiner alone", "a\u200bb"],
  ["a text direction mark", "a\u202eb"],
  ["half a surrogate pair", "a\ud800b"],
  ["a wildcard", "a.*"],
  ["a comma", "a,b"],
  ["the system's own mark", "$dead.a"],
  ["513 bytes", "x".repeat(513)],
  ["257 two-byte characters", "é".repeat(257)],
];

Deno.test("POST /publish refuses topics that are none and points at the field", async (t) => {
  await using fixture = await startRunnel();
  for (const [name, topic] of BAD_TOPICS) {
    await t.step(name, async () => {
      const answer = await publish(fixture.url, { topic, data: 1 });
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      const code = String(answer.body.code);
      assert.match(code, /^invalid_(topic|request)$/);
      assertProblem(answer, { status: 400, code, pointer: "#/topic" });
    });
  }
});

Deno.test("POST /publish takes topics at the limits", async () => {
  await using fixture = await startRunnel();
  for (const topic of ["x".repeat(512), "é".repeat(256), "a", "a$b", "漢字.🏳", "{tag}:a/b"]) {
    await publishId(fixture.url, { topic, data: 1 });
  }
});

Deno.test("POST /publish refuses JSON of the wrong shape and points at the field", async (t) => {
  await using fixture = await startRunnel();
  const cases: [string, unknown, string][] = [
    ["a number", 1, "#"],
    ["an array", [], "#"],
    ["null", null, "#"],
    ["no topic", { data: 1 }, "#/topic"],
    ["no data", { topic: "t" }, "#/data"],
    ["both payloads", { topic: "t", data: 1, dataBase64: "AA==" }, "#/data"],
    ["a payload that is not base64", { topic: "t", dataBase64: "?" }, "#/dataBase64"],
    ["a topic that is a number", { topic: 1, data: 1 }, "#/topic"],
    ["an unknown field", { topic: "t", data: 1, nope: 1 }, "#/nope"],
    ["an unknown field with / and ~", { topic: "t", data: 1, "a/b~c": 1 }, "#/a~1b~0c"],
    ["a type that is a number", { topic: "t", data: 1, type: 1 }, "#/type"],
    ["CR in type", { topic: "t", data: 1, type: "a\rb" }, "#/type"],
    ["LF in type", { topic: "t", data: 1, type: "a\nb" }, "#/type"],
    ["NUL in type", { topic: "t", data: 1, type: "a\0b" }, "#/type"],
    ["the browser's own event open", { topic: "t", data: 1, type: "open" }, "#/type"],
    ["the browser's own event error", { topic: "t", data: 1, type: "error" }, "#/type"],
    ["the browser's own event message", { topic: "t", data: 1, type: "message" }, "#/type"],
    ["a system event", { topic: "t", data: 1, type: "$bye" }, "#/type"],
    ["headers that are an array", { topic: "t", data: 1, headers: [] }, "#/headers"],
    ["a header that is a number", { topic: "t", data: 1, headers: { a: 1 } }, "#/headers/a"],
    ["a ttl of 0", { topic: "t", data: 1, ttlMs: 0 }, "#/ttlMs"],
    ["a ttl that is a text", { topic: "t", data: 1, ttlMs: "1" }, "#/ttlMs"],
    ["a fraction of a ttl", { topic: "t", data: 1, ttlMs: 1.5 }, "#/ttlMs"],
    ["an unknown durability", { topic: "t", data: 1, durability: "x" }, "#/durability"],
    ["an empty idempotency key", { topic: "t", data: 1, idempotencyKey: "" }, "#/idempotencyKey"],
  ];
  for (const [name, json, pointer] of cases) {
    await t.step(name, async () => {
      const answer = await send(`${fixture.url}/publish`, { json });
      assertProblem(answer, { status: 400, code: "invalid_request", pointer });
    });
  }
});

Deno.test("POST /publish refuses what is not JSON", async (t) => {
  await using fixture = await startRunnel();
  const json = { "content-type": "application/json" };
  const cases: [string, BodyInit][] = [
    ["nothing", ""],
    ["half an object", '{"topic":"t"'],
    ["two values", "{} {}"],
    ["a trailing comma", '{"topic":"t","data":1,}'],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["NaN", '{"topic":"t","data":NaN}'],
  ];
  for (const [name, body] of cases) {
    await t.step(name, async () => {
      const answer = await send(`${fixture.url}/publish`, { method: "POST", body, headers: json });
      assertProblem(answer, { status: 400, code: "invalid_json" });
    });
  }
});

Deno.test("POST /publish refuses other content types and encodings with 415", async () => {
  await using fixture = await startRunnel();
  const plain = new Blob(['{"topic":"t","data":1}']);
  const gzip = await new Response(plain.stream().pipeThrough(new CompressionStream("gzip"))).blob();
  const cases: [Blob, Record<string, string>][] = [
    [plain, { "content-type": "text/plain" }],
    [plain, { "content-type": "application/xml" }],
    [plain, {}],
    [gzip, { "content-type": "application/json", "content-encoding": "gzip" }],
  ];
  for (const [body, headers] of cases) {
    const answer = await send(`${fixture.url}/publish`, { method: "POST", body, headers });
    assertProblem(answer, { status: 415, code: "unsupported_media_type" });
  }
});

Deno.test("a body over the limit is refused with 413, announced or not", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "2048" } });
  const large = { topic: "t", data: "x".repeat(2_048) };
  for (const path of ["/publish", "/batch", "/publish/t"]) {
    const json = path === "/batch" ? [large] : large;
    assertProblem(await send(`${fixture.url}${path}`, { json }), {
      status: 413,
      code: "payload_too_large",
    });
    const body = new Blob([JSON.stringify(json)]).stream();
    const chunked = await send(`${fixture.url}${path}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    assertProblem(chunked, { status: 413, code: "payload_too_large" });
  }
  await publishId(fixture.url, { topic: "t", data: "x".repeat(1_900) });
});

Deno.test("a body over the limit is answered before it has been read", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "2048" } });
  const { port } = new URL(fixture.url);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const head = "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
    "content-length: 1000000000\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(4_096);
  const size = await deadline(connection.read(buffer), 5_000, "the refusal");
  const text = new TextDecoder().decode(buffer.subarray(0, size ?? 0));
  assert.match(text, /^HTTP\/1\.1 413 /);
});

Deno.test("a path and a method that are not there are answered 404 and 405", async () => {
  await using fixture = await startRunnel();
  for (const path of ["/nope", "/publish/a/b/c", "/topics/t/nope", "/subscribe/a/b"]) {
    const answer = await send(`${fixture.url}${path}`);
    assertProblem(answer, { status: 404, code: "not_found" });
  }
  const cases = [
    ["/publish", "GET", "POST"],
    ["/subscribe", "POST", "GET"],
    [
      "/topics/t",
      "PATCH",
      "DELETE",
    ],
    ["/batch", "PUT", "POST"],
    ["/health/live", "POST", "GET"],
  ];
  for (const [path, method, allowed] of cases) {
    const answer = await send(`${fixture.url}${path}`, { method: method ?? "" });
    assertProblem(answer, { status: 405, code: "method_not_allowed" });
    assert.ok((answer.headers.get("allow") ?? "").split(/, */).includes(allowed ?? ""), path);
  }
});

Deno.test("GET /subscribe refuses wrong input and points at the parameter", async (t) => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_TOPICS: "3" } });
  const refuse = (name: string, query: string, code: string, pointer?: string) =>
    t.step(name, async () => {
      const answer = await send(`${fixture.url}/subscribe?${query}`);
      const expected = { status: 400, code };
      assertProblem(answer, pointer === undefined ? expected : { ...expected, pointer });
    });
  await refuse("no topic", "", "invalid_topic", "?topic");
  await refuse("an empty topic", "topic=", "invalid_topic", "?topic");
  await refuse("white space", "topic=a%20b", "invalid_topic", "?topic");
  await refuse("a control character", "topic=a%00b", "invalid_topic", "?topic");
  await refuse("an over-long topic", `topic=${"x".repeat(513)}`, "invalid_topic", "?topic");
  await refuse("bytes that are not UTF-8", "topic=%ff", "invalid_request", "?topic");
  await refuse("more topics than the limit", "topic=a,b&topic=c,d", "too_many_topics");
  await refuse("an unknown parameter", "topic=a&nope=1", "invalid_request", "?nope");
  await refuse("an unknown format", "topic=a&format=xml", "invalid_request", "?format");
  await refuse("a limit of 0", "topic=a&limit=0", "invalid_request", "?limit");
  await refuse("a limit that is no number", "topic=a&limit=ten", "invalid_request", "?limit");
  await refuse("a wait that is neither", "topic=a&wait=maybe", "invalid_request", "?wait");
  await refuse("a parameter given twice", "topic=a&limit=1&limit=2", "invalid_request", "?limit");
  for (
    const since of [
      "yesterday",
      "5-",
      "-1",
      "1-2-3",
      "last:",
      "last:x",
      "10y",
      "2026-13-01T00:00:00Z",
      "1e9",
      "99999999999999999999-0",
      "",
    ]
  ) {
    const query = `topic=a&since=${encodeURIComponent(since)}`;
    await refuse(`since=${since}`, query, "invalid_cursor", "?since");
  }
  await refuse(
    "a malformed lastEventId",
    "topic=a&lastEventId=x",
    "invalid_cursor",
    "?lastEventId",
  );
  await t.step("a malformed Last-Event-ID", async () => {
    const headers = { "last-event-id": "not-an-id" };
    const answer = await send(`${fixture.url}/subscribe?topic=a`, { headers });
    assertProblem(answer, { status: 400, code: "invalid_cursor" });
  });
});

Deno.test("a foreign key where a topic is stored is answered as wrong_type", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "other", data: 1 });
  await fixture.command("taken", "SET", "@:t:taken", "foreign");
  const answer = await publish(fixture.url, { topic: "taken", data: 1 });
  assertProblem(answer, { status: 500, code: "wrong_type" });
  const { body } = await send(`${fixture.url}/batch`, {
    json: [{ topic: "other", data: 2 }, { topic: "taken", data: 3 }, { topic: "other", data: 4 }],
  });
  assert.deepEqual([body.accepted, body.rejected], [2, 1]);
});
