import assert from "node:assert/strict";
import { advanceId, formatId, parseId } from "../../lib/codec/id.ts";
import type { OutgoingMessage } from "../../lib/redis/store.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** A message with an idempotency key; `data` decides its hash. */
function keyed(idem: string, data: unknown): OutgoingMessage {
  const body = JSON.stringify({ data });
  return { body, options: JSON.stringify({ idem, hash: `h${JSON.stringify(data)}` }) };
}

const plain = (data: unknown): OutgoingMessage => ({ body: JSON.stringify({ data }), options: "" });
const plus = (text: string | undefined, n: number) =>
  formatId(advanceId(parseId(text ?? "") ?? assert.fail(), n));

Deno.test("commit finds a duplicate from any process and names its original", async () => {
  await using partition = redis.open();
  await using other = partition.another();
  const { firsts: [original] } = await partition.commit({ t: [keyed("k", 1)] });
  const again = await other.commit({ t: [keyed("k", 1)] });
  assert.deepEqual([again.firsts, again.special], [[""], [[0, "dup", original]]]);
  assert.equal(await redis.cli("XLEN", partition.store.keys.topic("t")), "1");
});

Deno.test("commit refuses the same key with another payload", async () => {
  await using partition = redis.open();
  const { firsts: [original] } = await partition.commit({ t: [keyed("k", 1)] });
  const { special } = await partition.commit({ t: [keyed("k", 2)] });
  assert.deepEqual(special, [[0, "conflict", original]]);
});

Deno.test("commit keeps the keys of topics apart, also where their names run together", async () => {
  await using partition = redis.open();
  const bodies = { a: [keyed("b c", 1)], "a.b": [keyed("c", 1)], b: [keyed("b c", 2)] };
  assert.deepEqual((await partition.commit(bodies)).special, []);
});

Deno.test("commit finds duplicates among its own messages", async () => {
  await using partition = redis.open();
  const messages = [plain(0), keyed("k", 1), plain(2), keyed("k", 1), keyed("k", 9), plain(3)];
  const { firsts: [first], special } = await partition.commit({ t: messages });
  assert.deepEqual(Object.fromEntries(special.map(([i, outcome, id]) => [i, [outcome, id]])), {
    3: ["dup", plus(first, 1)],
    4: ["conflict", ""],
  });
  const kept = await partition.store.history({ topic: "t", count: 9, descending: false });
  assert.deepEqual(kept.map(({ message }) => JSON.parse(message.body).data), [0, 1, 2, 3]);
  assert.deepEqual(kept.map(({ id }) => formatId(id)), [0, 1, 2, 3].map((n) => plus(first, n)));
});

Deno.test("commit that is atomic stores all but duplicates", async () => {
  await using partition = redis.open();
  const { firsts: [original] } = await partition.commit({ t: [keyed("k", 1)] });
  const bodies = { t: [keyed("k", 1), plain(2)], u: [plain(3)] };
  const { firsts, special } = await partition.commit(bodies, { atomic: true });
  assert.deepEqual(special, [[0, "dup", original]]);
  assert.ok(firsts.every((id) => id !== ""));
});

Deno.test("commit that is atomic stores nothing where a key conflicts", async () => {
  await using partition = redis.open();
  await partition.commit({ t: [keyed("k", 1)] });
  const bodies = { s: [keyed("new", 5), keyed("new", 5)], t: [keyed("k", 2), plain(2)] };
  const { firsts, special } = await partition.commit(bodies, { atomic: true });
  assert.deepEqual(firsts, ["", ""]);
  assert.deepEqual(Object.fromEntries(special.map(([i, outcome]) => [i, outcome])), {
    0: "aborted",
    1: "aborted",
    2: "conflict",
    3: "aborted",
  });
  // what was not stored is not remembered either
  const { special: none } = await partition.commit({ s: [keyed("new", 6)] });
  assert.deepEqual(none, []);
});

Deno.test("commit remembers a key in the window before and the one after", async (t) => {
  // the window after is where a primary wrote whose clock was ahead of its successor's
  for (const offset of [-1, 0, 1]) {
    await t.step(`window ${offset}`, async () => {
      await using partition = redis.open({ idempotencyMs: 3_600_000 });
      const { now } = await partition.store.position();
      const window = Math.floor(now / 3_600_000) + offset;
      const key = `${partition.store.keys.base}:i:${window}`;
      await redis.cli("HSET", key, "t k", "5-65536 h1");
      const { special } = await partition.commit({ t: [keyed("k", 1)] });
      assert.deepEqual(special, [[0, "dup", "5-65536"]]);
    });
  }
});

Deno.test("commit forgets a key when its window has passed, and Redis the whole window", async () => {
  await using partition = redis.open({ idempotencyMs: 50 });
  await partition.commit({ t: [keyed("k", 1)] });
  await until(async () => (await partition.commit({ t: [keyed("k", 1)] })).special.length === 0);
  const windows = `${partition.store.keys.base}:i:*`;
  await until(async () => await redis.cli("KEYS", windows) === "");
});
