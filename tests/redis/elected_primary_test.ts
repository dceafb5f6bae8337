import assert from "node:assert/strict";
import { ZERO } from "../../lib/codec/id.ts";
import { Script } from "../../lib/redis/script.ts";
import { CHECK } from "../../lib/redis/scripts/check.lua.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const check = new Script(CHECK);
const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

/** Gives the server a new replication id, as a start and a promotion do. */
async function promote(): Promise<void> {
  await redis.cli("DEBUG", "CHANGE-REPL-ID");
}

/** Electors of a primary, who count how often they are asked. */
class Electors {
  agree = true;
  asked = 0;

  readonly confirm = (): Promise<boolean> => {
    this.asked++;
    return Promise.resolve(this.agree);
  };
}

const UNCONFIRMED = { code: "primary_unconfirmed", outcome: "refused", retryable: true };

Deno.test("a generation begins under an elected primary only once it is confirmed", async () => {
  const electors = new Electors();
  await using partition = redis.open({ confirm: electors.confirm });
  electors.agree = false;
  await assert.rejects(partition.commit({ t: ["{}"] }), UNCONFIRMED);
  assert.equal(await redis.cli("EXISTS", partition.store.keys.meta), "0");
  electors.agree = true;
  await partition.publishOne("t");
  assert.equal(await redis.cli("XLEN", partition.store.keys.topic("t")), "1");
});

Deno.test("an elected primary that was started again is neither read nor written until it is confirmed", async () => {
  const electors = new Electors();
  await using partition = redis.open({ confirm: electors.confirm });
  const { store } = partition;
  await partition.publishOne("t");
  const { generation } = await store.position();
  electors.agree = false;
  await promote();
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.position(),
    () => partition.commit({ t: ["{}"] }),
    () => store.readLog({ cursor: ZERO, count: 1 }),
    () => store.topics.remove("t"),
    () => store.publishEphemeral([{ topic: "t", body: "{}" }]),
    () => store.history({ topic: "t", count: 1, descending: false }),
    () => store.probe({ channel: "nobody", number: 1 }),
  ];
  for (const call of calls) await assert.rejects(call(), UNCONFIRMED);
  assert.equal(await redis.cli("XLEN", store.keys.topic("t")), "1");
  assert.equal(await redis.cli("EXISTS", store.keys.gens), "0");
  electors.agree = true;
  for (const call of calls.slice(0, 3)) await call();
  assert.ok((await store.position()).generation > generation);
  assert.equal(await redis.cli("HLEN", store.keys.gens), "1");
});

Deno.test("an elected primary is confirmed once for all calls that wait for it, and not while it reigns", async () => {
  const gate = Promise.withResolvers<boolean>();
  let asked = 0;
  const confirm = () => (asked++, gate.promise);
  await using partition = redis.open({ confirm });
  const { node, store } = partition;
  const calls = Array.from({ length: 20 }, () => store.position());
  // it is answered after them, on the same connection
  await node.run((client) => client.ping());
  gate.resolve(true);
  await Promise.all(calls);
  assert.equal(asked, 1);
  await partition.publishOne("t");
  await store.position();
  assert.equal(asked, 1);
});

Deno.test("a call does not wait for ever until an elected primary is confirmed", async () => {
  const gate = Promise.withResolvers<boolean>();
  let asked = 0;
  const confirm = () => (asked++, gate.promise);
  await using partition = redis.open({ confirm });
  const { node, store } = partition;
  await assert.rejects(store.position(), UNCONFIRMED);
  await assert.rejects(store.position(), UNCONFIRMED);
  const last = store.position();
  // it is answered after that, on the same connection
  await node.run((client) => client.ping());
  gate.resolve(true);
  await last;
  assert.equal(asked, 1);
});

Deno.test("an elected primary goes beyond a generation that began under one that was none any more", async () => {
  const electors = new Electors();
  await using partition = redis.open({ confirm: electors.confirm });
  await partition.publishOne("t");
  const { generation } = await partition.store.position();
  await redis.cli("HSET", partition.store.keys.meta, "gen", `${generation - 9}`);
  electors.agree = false;
  await assert.rejects(partition.store.position(), UNCONFIRMED);
  electors.agree = true;
  assert.ok((await partition.store.position()).generation > generation);
});

Deno.test("a primary that nobody elects is confirmed for whoever says that it is elected", async () => {
  await using partition = redis.open();
  const electors = new Electors();
  await using elected = partition.another({ confirm: electors.confirm });
  await elected.publishOne("t");
  await promote();
  // such a call can be on its way while its partition moves to a Redis that stands alone
  const call = { keys: [partition.store.keys.meta, partition.store.keys.gens], args: ["0e"] };
  const now = await partition.node.run((client) => check.run(client, call));
  assert.ok(Number(now) > 0);
});
