import assert from "node:assert/strict";
import { dataOf, fill, messagesIn, range } from "../_support/fill.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";

Deno.test("GET /subscribe starts where since says", async (t) => {
  await using fixture = await startRunnel();
  const stored = await fill(fixture.url, ["{s}t", "{s}u"], 10);
  const from = (n: number) => stored.slice(n).map(({ data }) => data);
  const cases: [string, unknown[]][] = [
    ["latest", []],
    ["earliest", from(0)],
    ["last:3", from(7)],
    ["last:100", from(0)],
    ["last:0", []],
    [stored[3]?.id ?? "", from(4)],
    [stored[9]?.id ?? "", []],
    ["0-0", from(0)],
    ["10m", from(0)],
    ["1d", from(0)],
    [new Date(Date.now() - 60_000).toISOString(), from(0)],
    ["2099-01-01T00:00:00Z", []],
    ["2020-01-01", from(0)],
  ];
  for (const [since, expected] of cases) {
    await t.step(since, async () => {
      const query = new URLSearchParams([["topic", "{s}t"], ["topic", "{s}u"], ["since", since]]);
      const url = `${fixture.url}/subscribe?${query}&wait=0`;
      assert.deepEqual(await dataOf(url), expected);
    });
  }
});

Deno.test("GET /subscribe resumes after Last-Event-ID, which wins over lastEventId and since", async () => {
  await using fixture = await startRunnel();
  const ids = (await fill(fixture.url, ["t"], 10)).map(({ id }) => id);
  const url = `${fixture.url}/subscribe?topic=t&since=earliest&wait=0`;
  const header = { "last-event-id": String(ids[6]) };
  assert.deepEqual(await dataOf(`${url}&lastEventId=${ids[2]}`, header), [7, 8, 9]);
  assert.deepEqual(await dataOf(`${url}&lastEventId=${ids[2]}`), range(3, 10));
});

Deno.test("GET /subscribe resumes right from $ready, before any message", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "old" });
  const url = `${fixture.url}/subscribe?topic=t&topic=new`;
  let cursor: string;
  {
    await using stream = await openStream(url);
    await stream.until("$ready");
    cursor = stream.lastEventId;
  }
  const stored = await fill(fixture.url, ["t", "new"], 4);
  const resumed = await dataOf(`${url}&wait=0`, { "last-event-id": cursor });
  assert.deepEqual(resumed.toSorted(), stored.map(({ data }) => data).toSorted());
});

Deno.test("GET /subscribe resumes exactly between any two events of interleaved batches", async () => {
  await using fixture = await startRunnel();
  const topics = ["a", "b.1", "b.2", "c"];
  await fill(fixture.url, topics, 24);
  const url = `${fixture.url}/subscribe?topic=a&topic=b.*&since=earliest&wait=0`;
  await using whole = await openStream(url);
  const events = (await whole.rest()).filter(({ event }) => !event.startsWith("$"));
  assert.equal(events.length, 18);
  // topics that are not in the same partition come in any order
  const dataIn = (some: typeof events) => messagesIn(some).map(({ data }) => data).toSorted();
  for (const [n, { id }] of events.entries()) {
    const rest = await dataOf(url, { "last-event-id": id });
    assert.deepEqual(rest.toSorted(), dataIn(events.slice(n + 1)));
  }
});

Deno.test("GET /subscribe announces what retention took as $gap before what is left", async () => {
  await using fixture = await startRunnel();
  const ids = (await fill(fixture.url, ["t"], 10)).map(({ id }) => id);
  const change = await send(`${fixture.url}/topics/t`, { method: "PUT", json: { maxMessages: 4 } });
  assert.equal(change.status, 200, JSON.stringify(change.body));
  await publishId(fixture.url, { topic: "t", data: 10 });
  const url = `${fixture.url}/subscribe?topic=t&wait=0`;
  await using stream = await openStream(`${url}&lastEventId=${ids[2]}`);
  const events = await stream.rest();
  const names = events.map((event) => event.event);
  assert.deepEqual(names, ["$ready", "$gap", ...Array(4).fill("message"), "$bye"]);
  const gap = JSON.parse(events[1]?.data ?? "");
  assert.equal(gap.topic, "t");
  assert.equal(gap.after, ids[2]);
  assert.equal(gap.before, ids[7]);
  assert.equal(typeof gap.reason, "string");
  assert.deepEqual(messagesIn(events).map(({ data }) => data), [7, 8, 9, 10]);
  await using untouched = await openStream(`${url}&lastEventId=${ids[6]}`);
  assert.ok((await untouched.rest()).every((event) => event.event !== "$gap"));
});
