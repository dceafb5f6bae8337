import keySlot from "cluster-key-slot";
import assert from "node:assert/strict";
import { ownerOf } from "../../lib/cli/topology/move_slot.ts";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { range } from "../_support/fill.ts";
import { type Fronted, startFronted } from "../_support/fronts.ts";
import { publish, publishId } from "../_support/http.ts";
import { randomSource } from "../_support/random.ts";
import { openOn, primariesOf } from "../_support/topologies.ts";
import { deadline, until } from "../_support/until.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watch, watchAll } from "./watcher.ts";

const PARTITIONS = 16;
const FOUND_MS = 10_000;
/** Topics that nobody watches, of which some are not where the watched one is. */
const OTHERS = range(0, 8).map((n) => `else${n}`);

/** The server that has a topic. */
async function serverOf(topic: string, { topology }: Fronted): Promise<RedisServer> {
  const primaries = await primariesOf(topology);
  const base = `{rn:${partitionOf(topic, PARTITIONS)}/${PARTITIONS}}`;
  if (topology.name === "cluster") {
    return await ownerOf(keySlot(base), primaries) ?? assert.fail("nobody has the slot");
  }
  for (const primary of primaries) {
    if (await primary.cli("EXISTS", `${base}:meta`) === "1") return primary;
  }
  return assert.fail("nobody has the topic");
}

for (const name of ["shards", "cluster"] as const) {
  Deno.test(`a stalled link to one part of ${name} is told of and found within ten seconds, and the other parts go on`, async () => {
    await using fronted = await startFronted(name);
    await using runnel = await openOn(fronted.topology);
    const urls = [runnel.url];
    await using crowd = await watchAll(CROWD, {
      urls,
      random: randomSource(81),
      silenceMs: 30_000,
    });
    for (const topic of ["alone", ...OTHERS]) {
      await publishId(runnel.url, { topic, data: { n: "0" } });
    }
    const stalled = await serverOf("alone", fronted);
    const proxy = fronted.proxyOf(stalled);
    const servers = await Promise.all(OTHERS.map((topic) => serverOf(topic, fronted)));
    const elsewhere = OTHERS.find((_, i) => servers[i] !== stalled) ?? assert.fail("all in one");
    await using publishers = startPublishers({
      urls,
      topics: TOPICS,
      seed: 81,
      patienceMs: 30_000,
    });
    for (const forget of [false, true]) {
      await publishers.progress(200);
      proxy.stall();
      // new links hang too: whoever asks is told, again and again
      for (const n of ["a", "b"]) {
        const message = {
          topic: "alone",
          data: { n: `${n} ${forget}` },
          idempotencyKey: `${n} ${forget}`,
        };
        const { status } = await deadline(publish(runnel.url, message), FOUND_MS, "an answer");
        assert.equal(status, 503);
        const data = { n: `${n} ${forget} elsewhere` };
        const there = publishId(runnel.url, { topic: elsewhere, data });
        await deadline(there, 5_000, "the other parts to go on");
      }
      proxy.unstall({ forget });
      const data = { n: `end ${forget}` };
      await until(
        () => publishId(runnel.url, { topic: "alone", data, idempotencyKey: `${forget}` }),
        {
          timeoutMs: FOUND_MS,
          what: "the stalled part to be back",
        },
      );
    }
    await publishers.progress(200);
    await publishers.stop();
    const { watchers } = crowd;
    const { acknowledged } = publishers;
    const evidence = { url: runnel.url, topics: TOPICS, partitions: PARTITIONS };
    assertFaultless(await judge({ ...evidence, acknowledged, watchers }));
    for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
  });
}

Deno.test("half-open links to the Sentinels are found, and a failover that comes then is followed within ten seconds", async () => {
  await using fronted = await startFronted("sentinel");
  const { topology, proxyOf } = fronted;
  const sentinels = topology.servers
    .flatMap(({ part, server }) => part === "sentinel" ? [server] : []);
  const before = sentinels.map((server) => proxyOf(server).accepted);
  await using runnel = await openOn(topology);
  const { url } = runnel;
  await using watcher = await watch({ urls: [url], silenceMs: 60_000, topics: ["t"] });
  const send = (n: string) =>
    publishId(url, { topic: "t", data: { n }, durability: "replicated", idempotencyKey: n });
  const first = await send("1");
  await until(() => watcher.has(first));
  assert.ok(sentinels.some((server, i) => proxyOf(server).accepted > (before[i] ?? 0)));
  for (const [i, server] of sentinels.entries()) proxyOf(server).forget({ but: before[i] ?? 0 });
  const [primary] = await primariesOf(topology);
  assert.ok(primary !== undefined);
  await primary.kill9();
  await until(async () => (await primariesOf(topology, primary)).length > 0, {
    timeoutMs: 40_000,
    everyMs: 50,
    what: "a replica to be promoted",
  });
  const second = await until(() => send("2"), { timeoutMs: FOUND_MS, what: "a publish" });
  await until(() => watcher.has(second), { timeoutMs: FOUND_MS });
  assert.deepEqual(watcher.seen.map(({ n }) => n), ["1", "2"]);
  assert.deepEqual([watcher.gaps, watcher.connections], [[], 1]);
});
