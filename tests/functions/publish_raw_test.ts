import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, send } from "../_support/http.ts";
import type { ReceivedMessage } from "../_support/sse.ts";

async function publishRaw(
  url: string,
  { path, type, body }: { path: string; type?: string; body: BodyInit },
) {
  // A Blob without a type keeps fetch from inventing a content type.
  const payload = typeof body === "string" ? new Blob([body]) : body;
  const answer = await send(`${url}/publish/${path}`, {
    method: "POST",
    body: payload,
    headers: type === undefined ? {} : { "content-type": type },
  });
  return answer;
}

function payload(message: ReceivedMessage | undefined) {
  const { id: _id, time: _time, topic: _topic, ...rest } = message ?? {};
  return rest;
}

Deno.test("POST /publish/{topic} keeps JSON as JSON, text as text and the rest as base64", async () => {
  await using fixture = await startRunnel();
  const bytes = Uint8Array.of(0, 255, 128);
  const cases: [string | undefined, BodyInit, Record<string, unknown>][] = [
    ["application/json", '{"a":[1]}', { data: { a: [1] } }],
    ["application/vnd.x+json; charset=utf-8", "1.5", { data: 1.5 }],
    ["text/plain", "Hällo 🌍", { data: "Hällo 🌍" }],
    ["text/plain;charset=utf-8", "line\r\nline", { data: "line\r\nline" }],
    ["text/html", "<p>", { data: "<p>", contentType: "text/html" }],
    ["application/x-www-form-urlencoded", "Hello", { data: "Hello" }],
    ["application/octet-stream", bytes, {
      dataBase64: "AP+A",
      contentType: "application/octet-stream",
    }],
    ["image/png", bytes, { dataBase64: "AP+A", contentType: "image/png" }],
  ];
  for (const [type, body, expected] of cases) {
    const { status, body: answer } = await publishRaw(fixture.url, {
      path: "topic1",
      body,
      ...(type === undefined ? {} : { type }),
    });
    assert.equal(status, 200, `${type}: ${JSON.stringify(answer)}`);
    const stored = (await readHistory(fixture.url, "topic1")).at(-1);
    assert.equal(stored?.id, answer.id);
    assert.deepEqual(payload(stored), expected, type);
  }
});

Deno.test("POST /publish/{topic} takes what curl -d sends as text", async () => {
  await using fixture = await startRunnel();
  const { stdout } = await new Deno.Command("curl", {
    args: ["-sS", "-d", "Hello", `${fixture.url}/publish/topic1`],
  }).output();
  assert.equal(JSON.parse(new TextDecoder().decode(stdout)).topic, "topic1");
  assert.equal((await readHistory(fixture.url, "topic1"))[0]?.data, "Hello");
});

Deno.test("POST /publish/{topic} reads the topic as one percent-encoded segment", async () => {
  await using fixture = await startRunnel();
  const topic = "a/b:ü.🌍%";
  const answer = await publishRaw(fixture.url, {
    path: encodeURIComponent(topic),
    type: "text/plain",
    body: "x",
  });
  assert.equal(answer.body.topic, topic);
  assert.equal((await readHistory(fixture.url, topic)).length, 1);
});

Deno.test("POST /publish/{topic} takes options as query parameters or x-runnel headers", async () => {
  await using fixture = await startRunnel();
  const text = { "content-type": "text/plain" };
  const byQuery = await send(
    `${fixture.url}/publish/t?type=note&key=k&idempotencyKey=i&ttlMs=60000`,
    {
      body: "a",
      headers: text,
    },
  );
  const byHeader = await send(`${fixture.url}/publish/t`, {
    body: "a",
    headers: {
      ...text,
      "x-runnel-type": "note",
      "x-runnel-key": "k",
      "x-runnel-idempotency-key": "i",
    },
  });
  const byStandardHeader = await send(`${fixture.url}/publish/t?type=note&key=k`, {
    body: "a",
    headers: { ...text, "idempotency-key": "i" },
  });
  assert.equal(byQuery.body.duplicate, false, JSON.stringify(byQuery.body));
  assert.deepEqual(byHeader.body, { ...byQuery.body, duplicate: true });
  assert.deepEqual(byStandardHeader.body, { ...byQuery.body, duplicate: true });
  const messages = await readHistory(fixture.url, "t");
  assert.deepEqual(messages.map(payload), [{ data: "a", type: "note", key: "k" }]);
});

Deno.test("POST /publish/{topic} stores an empty body as an empty payload", async () => {
  await using fixture = await startRunnel();
  const answer = await publishRaw(fixture.url, { path: "t", type: "text/plain", body: "" });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal((await readHistory(fixture.url, "t"))[0]?.data, "");
});

Deno.test("POST /publish/{topic} refuses what it cannot read", async (t) => {
  await using fixture = await startRunnel();
  const refuse = (
    name: string,
    request: { path: string; type: string; body: BodyInit },
    expected: { status: number; code: string; pointer?: string },
  ) =>
    t.step(name, async () => {
      assertProblem(await publishRaw(fixture.url, request), expected);
    });
  await refuse("broken JSON", { path: "t", type: "application/json", body: "{" }, {
    status: 400,
    code: "invalid_json",
  });
  await refuse("text that is not UTF-8", {
    path: "t",
    type: "text/plain",
    body: Uint8Array.of(0xff),
  }, { status: 400, code: "invalid_request" });
  await refuse("a path that is not UTF-8", { path: "%ff", type: "text/plain", body: "" }, {
    status: 400,
    code: "invalid_request",
  });
  await refuse("an unknown option", { path: "t?nope=1", type: "text/plain", body: "" }, {
    status: 400,
    code: "invalid_request",
    pointer: "?nope",
  });
  await refuse("a ttl that is no number", { path: "t?ttlMs=soon", type: "text/plain", body: "" }, {
    status: 400,
    code: "invalid_request",
    pointer: "?ttlMs",
  });
  await refuse("a reserved type", { path: "t?type=$x", type: "text/plain", body: "" }, {
    status: 400,
    code: "invalid_request",
    pointer: "?type",
  });
});
