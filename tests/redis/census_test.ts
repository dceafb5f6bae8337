import assert from "node:assert/strict";
import { shareRedis } from "../_support/shared_redis.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { publish, send } from "../_support/http.ts";
import type { Census } from "../../lib/redis/census_store.ts";
import type { Partition } from "../_support/partition.ts";

const redis = shareRedis();

/** Counts all there is, step by step. */
async function countAll({ store }: Partition): Promise<Census & { readonly steps: number }> {
  let sum: Census = { topics: 0, groups: 0, lag: 0, pending: 0, held: 0, dead: 0 };
  let after: string | undefined;
  for (let steps = 1;; steps++) {
    const { next, ...some } = await store.census.count(after);
    sum = {
      topics: sum.topics + some.topics,
      groups: sum.groups + some.groups,
      lag: sum.lag + some.lag,
      pending: sum.pending + some.pending,
      held: sum.held + some.held,
      dead: sum.dead + some.dead,
    };
    if (next === undefined) return { ...sum, steps };
    after = next;
  }
}

Deno.test("CensusStore counts topics, and what groups by name and by pattern have to do", async () => {
  const prefix = "c1";
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: prefix },
  });
  await using partition = redis.open({ prefix });
  const { url } = runnel;
  assert.deepEqual(await countAll(partition), {
    ...{ topics: 0, groups: 0, lag: 0, pending: 0, held: 0, dead: 0, steps: 1 },
  });
  for (const topic of ["a.1", "a.2", "b"]) {
    for (let i = 0; i < 4; i++) await publish(url, { topic, data: i });
  }
  const pull = (json: Record<string, unknown>) =>
    send(`${url}/pull`, { json: { since: "earliest", ...json } });
  // 3 of 4 are left
  await pull({ topic: "a.1", group: "g", max: 1 });
  // 3 of 8, of which it holds 5
  await pull({ topic: "a.*", group: "g", consumer: "c", max: 5 });
  // all of them are done, but one that is dead
  const { body } = await pull({ topic: "b", group: "g", max: 4 });
  await send(`${url}/topics/b/groups/g`, { method: "PUT", json: { maxDeliveries: 1 } });
  const [first = "", ...rest] = (body.messages as { id: string }[]).map(({ id }) => id);
  const { lease } = body;
  const settle = (ids: string[], outcome: string) =>
    send(`${url}/ack`, { json: { topic: "b", group: "g", ids, outcome, lease } });
  await settle(rest, "ack");
  await settle([first], "nack");
  await pull({ topic: "b", group: "g", max: 4 });
  const census = await countAll(partition);
  // the topic of the dead letters is one too
  assert.deepEqual(census, {
    ...{ topics: 4, groups: 3, lag: 6, pending: 6, held: 5, dead: 1, steps: 1 },
  });
  await send(`${url}/topics/b`, { method: "DELETE" });
  assert.equal((await countAll(partition)).topics, 3);
});

Deno.test("CensusStore goes through any number of topics in bounded steps", async () => {
  const prefix = "c2";
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: prefix },
  });
  await using partition = redis.open({ prefix });
  const json = Array.from({ length: 1_000 }, (_, i) => ({ topic: `t.${i}`, data: 1 }));
  await send(`${runnel.url}/batch`, { json });
  const exact = await countAll(partition);
  assert.deepEqual([exact.topics, exact.steps], [1_000, 3]);
  await publish(runnel.url, { topic: "t.more", data: 1 });
  const more = await countAll(partition);
  assert.deepEqual([more.topics, more.steps], [1_001, 3]);
});

Deno.test("CensusStore gives the turn to one, and keeps what it found for all", async () => {
  await using partition = redis.open({ prefix: "c3" });
  const { census } = partition.store;
  assert.equal(await census.kept(), undefined);
  assert.deepEqual([await census.takeTurn("a", 60_000), await census.takeTurn("b", 60_000)], [
    ...[true, false],
  ]);
  const found = { topics: 1, groups: 2, lag: 3, pending: 4, held: 5, dead: 6 };
  await census.keep(found, 60_000);
  assert.deepEqual(await census.kept(), found);
});
