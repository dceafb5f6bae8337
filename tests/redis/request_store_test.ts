import assert from "node:assert/strict";
import { listenRaw } from "../_support/raw_channel.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

/** Publishes a request that waits for so many replies and gives its id. */
async function open(partition: Partition, wanted = 1): Promise<string> {
  const id = crypto.randomUUID();
  const req = { id, n: wanted, ms: 30_000, proc: "p1" };
  await partition.commit({
    t: [{ body: '{"data":1}', options: JSON.stringify({ ttl: 30_000, req }) }],
  });
  return id;
}

const replyOf = (id: string, data: unknown, key: string = crypto.randomUUID(), digest = "-") => ({
  id,
  key,
  digest,
  body: JSON.stringify({ data }),
});

Deno.test("RequestStore takes exactly as many replies as are wanted, and tells the process of each", async () => {
  await using partition = redis.open();
  const { requests, keys } = partition.store;
  await using raw = await listenRaw(redis.server.url, [keys.probe("p1")]);
  const id = await open(partition, 2);
  const outcomes = [];
  for (const data of ["a", "b", "c"]) outcomes.push(await requests.reply(replyOf(id, data)));
  assert.deepEqual(outcomes, ["taken", "taken", "gone"]);
  const texts = await raw.texts(keys.probe("p1"), 2);
  assert.match(texts[0] ?? "", new RegExp(`^R ${id} 1 \\d{13}\\n\\{"data":"a"\\}$`));
  assert.match(texts[1] ?? "", new RegExp(`^R ${id} 2 \\d{13}\\n\\{"data":"b"\\}$`));
  const [state] = await requests.read([{ id, indexes: [1, 2, 3] }]);
  assert.equal(state?.open, true);
  assert.deepEqual(state?.replies.map(({ index, body }) => [index, body]), [
    [1, '{"data":"a"}'],
    [2, '{"data":"b"}'],
  ]);
});

Deno.test("RequestStore announces a large reply without its body, and keeps it with the request", async () => {
  await using partition = redis.open();
  const { requests, keys } = partition.store;
  await using raw = await listenRaw(redis.server.url, [keys.probe("p1")]);
  const id = await open(partition);
  const large = "é 'x\" ".repeat(10_000);
  await requests.reply(replyOf(id, large));
  const [text = ""] = await raw.texts(keys.probe("p1"), 1);
  assert.match(text, new RegExp(`^R ${id} 1 \\d{13}$`));
  const { replies } = await requests.end({ id, indexes: [1] });
  assert.equal(JSON.parse(replies[0]?.body ?? "").data, large);
});

Deno.test("RequestStore takes a reply of one key once, and tells it from another payload", async () => {
  await using partition = redis.open();
  const { requests } = partition.store;
  const id = await open(partition, 3);
  assert.equal(await requests.reply(replyOf(id, 1, "k", "one")), "taken");
  assert.equal(await requests.reply(replyOf(id, 1, "k", "one")), "taken");
  assert.equal(await requests.reply(replyOf(id, 2, "k", "two")), "conflict");
  const elsewhere = await open(partition);
  assert.equal(await requests.reply(replyOf(elsewhere, 2, "k", "two")), "taken", "its own keys");
  const { replies } = await requests.end({ id, indexes: [1, 2, 3] });
  assert.equal(replies.length, 1);
  assert.equal(await requests.reply(replyOf(id, 1, "k", "one")), "taken", "also when it is gone");
  assert.equal(await requests.reply(replyOf(id, 1, "new", "one")), "gone");
});

Deno.test("RequestStore.end() reads and removes in one step: what is taken is read", async () => {
  await using partition = redis.open();
  const { requests } = partition.store;
  for (let round = 0; round < 30; round++) {
    const id = await open(partition);
    const [outcome, { replies }] = await Promise.all([
      requests.reply(replyOf(id, round)),
      requests.end({ id, indexes: [1] }),
    ]);
    assert.equal(replies.length, outcome === "taken" ? 1 : 0);
  }
  const [state] = await requests.read([{ id: "never", indexes: [1] }]);
  assert.deepEqual(state, { open: false, replies: [] });
});

Deno.test("RequestStore refuses replies that are too large together, but never the first", async () => {
  // so many bytes take their time on a machine that has much to do
  await using partition = redis.open({ redis: { commandTimeoutMs: 20_000 } });
  const { requests } = partition.store;
  const id = await open(partition, 1_000);
  const body = "x".repeat(24 << 20);
  const outcomes = [];
  for (let i = 0; i < 3; i++) outcomes.push(await requests.reply(replyOf(id, body)));
  assert.deepEqual(outcomes, ["taken", "taken", "full"]);
  await requests.remove([id]);
});

Deno.test("an open request goes away by itself some seconds after its requester would have", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  const id = await open(partition);
  const left = Number(await redis.cli("PTTL", keys.request(id)));
  assert.ok(left > 30_000 && left <= 35_000, `${left} ms`);
  await partition.store.requests.reply(replyOf(id, 1));
  assert.ok(Number(await redis.cli("PTTL", keys.request(id))) > 0);
});

Deno.test("RequestStore takes no reply where another generation reigns", async () => {
  await using partition = redis.open();
  const { requests, keys } = partition.store;
  const id = await open(partition);
  await partition.store.position();
  await redis.cli("HSET", keys.meta, "gen", "1");
  await assert.rejects(requests.reply(replyOf(id, 1)), { code: "stale_primary" });
});
