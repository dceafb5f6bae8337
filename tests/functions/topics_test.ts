import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publishId, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";

Deno.test("GET /topics lists topics page by page, by prefix", async () => {
  await using fixture = await startRunnel();
  const names = ["a.1", "a.2", "a.3", "b.1", "ü/漢"];
  for (const topic of names) await publishId(fixture.url, { topic, data: 1 });
  const list = async (query: string) => {
    const { status, body } = await send(`${fixture.url}/topics${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    const { topics, next } = body as unknown as { topics: { topic: string }[]; next?: string };
    return { names: topics.map(({ topic }) => topic), next };
  };
  assert.deepEqual((await list("")).names.toSorted(), names.toSorted());
  assert.deepEqual((await list("?prefix=a.")).names, ["a.1", "a.2", "a.3"]);
  assert.deepEqual((await list("?prefix=zz")).names, []);
  const paged: string[] = [];
  let after: string | undefined;
  do {
    const from = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
    const page = await list(`?limit=2${from}`);
    assert.ok(page.names.length <= 2);
    paged.push(...page.names);
    after = page.next;
  } while (after !== undefined);
  assert.deepEqual(paged.toSorted(), names.toSorted());
  assert.equal(new Set(paged).size, names.length);
});

Deno.test("GET /topics/{topic} tells length, ids, bytes, retention and subscribers", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_AGE_MS: "3600000" } });
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.push(await publishId(fixture.url, { topic: "t", data: n }));
  const info = async () => (await send(`${fixture.url}/topics/t`)).body;
  const before = await info();
  assert.deepEqual([before.topic, before.messages, before.firstId, before.lastId], [
    "t",
    3,
    ids[0],
    ids[2],
  ]);
  assert.deepEqual(before.retention, { maxMessages: 100_000, maxAgeMs: 3_600_000 });
  assert.deepEqual(before.ownRetention, {});
  assert.ok(Number(before.bytes) > 0);
  assert.equal(before.subscribers, 0);
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  await stream.until("$ready");
  await until(async () => (await info()).subscribers === 1, { what: "one subscriber" });
});

Deno.test("GET /topics/{topic} answers 404 for a topic that has never been", async () => {
  await using fixture = await startRunnel();
  assertProblem(await send(`${fixture.url}/topics/none`), { status: 404, code: "not_found" });
});

Deno.test("GET /topics/{topic}/messages reads a history both ways, bounded and paged", async () => {
  await using fixture = await startRunnel();
  const ids: string[] = [];
  for (let n = 0; n < 10; n++) ids.push(await publishId(fixture.url, { topic: "t", data: n }));
  const page = async (query: string) => {
    const { status, body } = await send(`${fixture.url}/topics/t/messages?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    const { messages, next } = body as unknown as { messages: { data: number }[]; next?: string };
    return { data: messages.map(({ data }) => data), next };
  };
  assert.deepEqual((await page("")).data, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual((await page(`after=${ids[6]}`)).data, [7, 8, 9]);
  assert.deepEqual((await page(`before=${ids[3]}`)).data, [0, 1, 2]);
  assert.deepEqual((await page(`after=${ids[2]}&before=${ids[5]}`)).data, [3, 4]);
  assert.deepEqual((await page("order=desc&limit=3")).data, [9, 8, 7]);
  const first = await page("limit=4");
  assert.deepEqual(first.data, [0, 1, 2, 3]);
  assert.equal(first.next, ids[3]);
  assert.deepEqual((await page(`limit=4&after=${first.next}`)).data, [4, 5, 6, 7]);
  const last = await page(`limit=4&after=${ids[7]}`);
  assert.deepEqual([last.data, last.next], [[8, 9], undefined]);
  const newest = await page("order=desc&limit=4");
  assert.deepEqual((await page(`order=desc&limit=4&before=${newest.next}`)).data, [5, 4, 3, 2]);
});

Deno.test("PUT /topics/{topic} sets retention, and publishing trims to it", async () => {
  await using fixture = await startRunnel();
  const json = { maxMessages: 3, maxAgeMs: 3_600_000 };
  const answer = await send(`${fixture.url}/topics/t`, { method: "PUT", json });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  for (let n = 0; n < 10; n++) await publishId(fixture.url, { topic: "t", data: n });
  assert.deepEqual((await readHistory(fixture.url, "t")).map(({ data }) => data), [7, 8, 9]);
  const { body } = await send(`${fixture.url}/topics/t`);
  assert.deepEqual(body.retention, json);
  assert.deepEqual(body.ownRetention, json);
  assert.equal(body.messages, 3);
});

Deno.test("PUT /topics/{topic} trims by age", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "old" });
  await send(`${fixture.url}/topics/t`, { method: "PUT", json: { maxAgeMs: 1 } });
  await until(async () => {
    await publishId(fixture.url, { topic: "t", data: "new" });
    return (await readHistory(fixture.url, "t")).every(({ data }) => data === "new");
  }, { what: "the old message to go" });
});

Deno.test("RUNNEL_MAX_MESSAGES bounds every topic", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_MESSAGES: "5" } });
  const json = Array.from({ length: 40 }, (_, n) => ({ topic: `t${n % 2}`, data: n }));
  await send(`${fixture.url}/batch`, { json });
  for (const topic of ["t0", "t1"]) assert.equal((await readHistory(fixture.url, topic)).length, 5);
});

Deno.test("DELETE /topics/{topic} empties it and later messages get later ids", async () => {
  await using fixture = await startRunnel();
  const before = await publishId(fixture.url, { topic: "t", data: "gone" });
  const { status } = await send(`${fixture.url}/topics/t`, { method: "DELETE" });
  assert.equal(status, 204);
  assert.deepEqual(await readHistory(fixture.url, "t").catch(() => []), []);
  const after = await publishId(fixture.url, { topic: "t", data: "new" });
  assert.ok(Number(after.split("-")[0]) >= Number(before.split("-")[0]) && after !== before);
  assert.deepEqual((await readHistory(fixture.url, "t")).map(({ data }) => data), ["new"]);
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t&wait=0`, {
    headers: { "last-event-id": "1-0" },
  });
  const events = await stream.rest();
  assert.deepEqual(events.map(({ event }) => event), ["$ready", "$gap", "message", "$bye"]);
});

Deno.test("the topics functions refuse wrong input", async (t) => {
  await using fixture = await startRunnel();
  const refuse = (
    name: string,
    request: { path: string; json?: unknown },
    expected: { status: number; code: string; pointer?: string },
  ) =>
    t.step(name, async () => {
      const { path, json } = request;
      const options = json === undefined ? {} : { method: "PUT", json };
      assertProblem(await send(`${fixture.url}/topics${path}`, options), expected);
    });
  const invalid = (pointer: string) => ({ status: 400, code: "invalid_request", pointer });
  await refuse("an unknown parameter", { path: "?nope=1" }, invalid("?nope"));
  await refuse("a limit of 0", { path: "?limit=0" }, invalid("?limit"));
  await refuse("a limit beyond the most", { path: "/t/messages?limit=9999" }, invalid("?limit"));
  await refuse("an unknown order", { path: "/t/messages?order=up" }, invalid("?order"));
  await refuse("a malformed bound", { path: "/t/messages?after=x" }, {
    status: 400,
    code: "invalid_cursor",
    pointer: "?after",
  });
  await refuse("a negative retention", { path: "/t", json: { maxMessages: -1 } }, {
    status: 400,
    code: "invalid_request",
    pointer: "#/maxMessages",
  });
  await refuse("an unknown setting", { path: "/t", json: { nope: 1 } }, invalid("#/nope"));
  await refuse("a topic with white space", { path: "/a%20b" }, {
    status: 400,
    code: "invalid_topic",
  });
});

Deno.test("PUT /topics/{t} refuses a reserved name, and topics refuse parameters that they do not know", async () => {
  await using fixture = await startRunnel();
  const reserved = await send(`${fixture.url}/topics/$sys`, {
    method: "PUT",
    json: { maxMessages: 1 },
  });
  assertProblem(reserved, { status: 400, code: "invalid_topic", pointer: "/{topic}" });
  const unknown = await send(`${fixture.url}/topics/t?x=1`);
  assertProblem(unknown, { status: 400, code: "invalid_request", pointer: "?x" });
});
