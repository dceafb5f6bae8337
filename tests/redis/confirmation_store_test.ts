import assert from "node:assert/strict";
import { listenRaw } from "../_support/raw_channel.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

/** Publishes a message that waits for so many confirmations and gives its id. */
async function open(partition: Partition, wanted: number): Promise<string> {
  const options = JSON.stringify({ conf: { n: wanted, ms: 1_000, proc: "p1" } });
  const { firsts } = await partition.commit({ t: [{ body: '{"data":1}', options }] });
  return firsts[0] ?? "";
}

Deno.test("ConfirmationStore counts distinct subscriptions and tells the process when there are enough", async () => {
  await using partition = redis.open();
  const { confirmations, keys } = partition.store;
  await using raw = await listenRaw(redis.server.url, [keys.probe("p1")]);
  const id = await open(partition, 2);
  for (const subscription of ["s1", "s1", "s2", "s2", "s3"]) {
    assert.deepEqual(await confirmations.confirm({ topic: "t", ids: [id], subscription }), [true]);
  }
  assert.equal(await confirmations.count(id), 3);
  assert.deepEqual(await raw.texts(keys.probe("p1"), 2), [`C ${id} 2`, `C ${id} 3`]);
});

Deno.test("ConfirmationStore tells every process that waits, as soon as the least of them is content", async () => {
  await using partition = redis.open();
  const { confirmations, keys } = partition.store;
  await using raw = await listenRaw(redis.server.url, ["p1", "p2"].map((p) => keys.probe(p)));
  const id = await open(partition, 3);
  const second = { id, topic: "t", wanted: 1, processId: "p2", timeoutMs: 5_000 };
  assert.equal(await confirmations.register(second), 0);
  assert.equal(await confirmations.register(second), 0, "once more changes nothing");
  await confirmations.confirm({ topic: "t", ids: [id], subscription: "a" });
  for (const process of ["p1", "p2"]) {
    assert.deepEqual(await raw.texts(keys.probe(process), 1), [`C ${id} 1`]);
  }
  assert.equal(await confirmations.register({ ...second, processId: "p3" }), 1);
  assert.equal(await redis.cli("HGET", keys.confirmations(id), "p"), "p1 p2 p3");
  const left = Number(await redis.cli("PTTL", keys.confirmations(id)));
  assert.ok(left > 61_000 && left <= 65_000, `${left} ms`);
});

Deno.test("ConfirmationStore says of each message whether somebody waits for it", async () => {
  await using partition = redis.open();
  const { confirmations } = partition.store;
  const [one, two] = [await open(partition, 1), await open(partition, 1)];
  const ids = [one, "1-1", two];
  const counted = await confirmations.confirm({ topic: "t", ids, subscription: "a" });
  assert.deepEqual(counted, [true, false, true]);
  const elsewhere = await confirmations.confirm({ topic: "u", ids, subscription: "b" });
  assert.deepEqual(elsewhere, [false, false, false], "they are of another topic");
  assert.equal(await confirmations.count(one), 1);
});

Deno.test("ConfirmationStore.register() opens the confirmations of a message whose first publisher did not ask", async () => {
  await using partition = redis.open();
  const { confirmations } = partition.store;
  const id = await partition.publishOne("t");
  assert.deepEqual(await confirmations.confirm({ topic: "t", ids: [id], subscription: "a" }), [
    false,
  ]);
  const message = { id, topic: "t", wanted: 1, processId: "p1", timeoutMs: 1_000 };
  assert.equal(await confirmations.register(message), 0);
  assert.deepEqual(await confirmations.confirm({ topic: "t", ids: [id], subscription: "a" }), [
    true,
  ]);
  assert.equal(await confirmations.register(message), 1);
});
