import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import { openStream, type SseEvent } from "../_support/sse.ts";

const TEXT = "x".repeat(15 << 10);
const KEYS = 8;

interface Told {
  readonly topic: string;
  readonly after: string;
  readonly before: string;
  readonly reason: string;
  readonly skipped: number;
}

/** Publishes `count` batches of 64 messages, whose keys take turns; each one says which round it is of. */
async function publishRounds(url: string, { from, count }: { from: number; count: number }) {
  const ids: string[] = [];
  for (let i = from; i < from + count; i++) {
    const json = Array.from({ length: 64 }, (_, n) => ({
      topic: "prices",
      key: `k${n % KEYS}`,
      data: { round: i * 8 + Math.floor(n / KEYS), text: TEXT },
    }));
    const { status, body } = await send(`${url}/batch`, { json });
    assert.equal(status, 200, JSON.stringify(body));
    ids.push(...(body as unknown as { results: { id: string }[] }).results.map(({ id }) => id));
  }
  return ids;
}

const messagesOf = (events: readonly SseEvent[]) =>
  events.filter(({ event }) => !event.startsWith("$")).map(({ data }) => JSON.parse(data));
const gapsOf = (events: readonly SseEvent[]): Told[] =>
  events.filter(({ event }) => event === "$gap").map(({ data }) => JSON.parse(data));

/** A client that reads nothing while 20 MB are published, and then everything. */
async function readLate(query: string) {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=prices${query}`);
  await stream.until("$ready");
  const ids = await publishRounds(url, { from: 0, count: 20 });
  const last = ids.at(-1);
  const events = await stream.until(({ id }) => id === last);
  return { ids, events };
}

Deno.test("GET /subscribe with conflate gives a client that stopped reading the newest of each key, and says what it left out", async () => {
  const { ids, events } = await readLate("&conflate=1");
  const messages = messagesOf(events);
  const gaps = gapsOf(events);
  assert.ok(messages.length < ids.length * 0.7, `${messages.length} of ${ids.length} were given`);
  assert.ok(gaps.length > 0);
  assert.deepEqual(new Set(gaps.map(({ reason }) => reason)), new Set(["conflated"]));
  const skipped = gaps.reduce((sum, gap) => sum + gap.skipped, 0);
  assert.equal(messages.length + skipped, ids.length);
  const given = new Set(messages.map(({ id }) => id));
  assert.deepEqual(messages.map(({ id }) => id), ids.filter((id) => given.has(id)));
  assert.deepEqual(messages.slice(-KEYS).map(({ id }) => id), ids.slice(-KEYS));
});

Deno.test("twin: without conflate the same client gets every message", async () => {
  for (const query of ["", "&conflate=0"]) {
    const { ids, events } = await readLate(query);
    assert.deepEqual(messagesOf(events).map(({ id }) => id), ids);
    assert.deepEqual(gapsOf(events), []);
  }
});

Deno.test("GET /subscribe with conflate loses nothing for who drops in the middle and comes back, conflating or not", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const ids = await publishRounds(url, { from: 0, count: 1 });
  const path = `${url}/subscribe?topic=prices&wait=0`;
  for (let taken = 1; taken < KEYS; taken++) {
    await using first = await openStream(`${path}&conflate=1&since=earliest`);
    const events = await first.take(2 + taken);
    assert.deepEqual(messagesOf(events).map(({ id }) => id), ids.slice(-KEYS).slice(0, taken));
    assert.deepEqual(gapsOf(events), [{
      topic: "prices",
      after: "0-0",
      before: ids.at(-1),
      reason: "conflated",
      skipped: ids.length - KEYS,
    }]);
    for (const conflate of [0, 1]) {
      const headers = { "last-event-id": first.lastEventId };
      await using second = await openStream(`${path}&conflate=${conflate}`, { headers });
      const rest = messagesOf(await second.rest()).map(({ id }) => id);
      assert.deepEqual(rest, ids.slice(-KEYS).slice(taken));
    }
  }
});

Deno.test("GET /subscribe with conflate counts what is given towards limit, and leaves live messages alone", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const ids = await publishRounds(url, { from: 0, count: 1 });
  const query = "topic=prices&conflate=true&since=earliest";
  await using limited = await openStream(`${url}/subscribe?${query}&limit=3`);
  const given = messagesOf(await limited.rest());
  assert.deepEqual(given.map(({ id }) => id), ids.slice(-KEYS).slice(0, 3));
  await using stream = await openStream(`${url}/subscribe?${query}`);
  await stream.messages(KEYS);
  const live: string[] = [];
  for (let i = 0; i < 4; i++) {
    const json = { topic: "prices", key: "k0", data: i };
    live.push(String((await send(`${url}/publish`, { json })).body.id));
    assert.deepEqual((await stream.messages(1)).map(({ id }) => id), live.slice(-1));
  }
});

Deno.test("GET /subscribe with conflate says the same as NDJSON, and gives all messages without a key", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const json = ["a", undefined, "a", undefined, "b", "a"].map((key, data) => ({
    topic: "t",
    data,
    ...(key === undefined ? {} : { key }),
  }));
  await send(`${url}/batch`, { json });
  const response = await fetch(`${url}/subscribe?topic=t&conflate=1&since=earliest&wait=0`, {
    headers: { accept: "application/x-ndjson" },
  });
  const lines = await readNdjson(response);
  assert.deepEqual(lines.flatMap(({ event, data }) => event === undefined ? [data] : []), [
    1,
    3,
    4,
    5,
  ]);
  const gap = lines.find(({ event }) => event === "$gap");
  assert.deepEqual([gap?.reason, gap?.skipped, gap?.topic], ["conflated", 2, "t"]);
});

Deno.test("GET /subscribe refuses a conflate that is neither 1 nor 0", async () => {
  await using fixture = await startRunnel();
  const answer = await send(`${fixture.url}/subscribe?topic=t&conflate=yes`);
  assertProblem(answer, { status: 400, code: "invalid_request", pointer: "?conflate" });
});
