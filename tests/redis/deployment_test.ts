import assert from "node:assert/strict";
import { Deployment } from "../../lib/redis/deployment.ts";
import { recordKey } from "../../lib/redis/keys.ts";
import { range } from "../_support/fill.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { Partition, redisOptionsOf } from "../_support/partition.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { until } from "../_support/until.ts";

const PREFIX = "rn";

interface Servers extends AsyncDisposable {
  readonly all: readonly RedisServer[];
  readonly urls: readonly string[];
}

async function startServers(count: number): Promise<Servers> {
  await using stack = new AsyncDisposableStack();
  const all = await Promise.all(range(0, count).map(() => startRedis({ appendonly: false })));
  for (const server of all) stack.use(server);
  const moved = stack.move();
  return {
    all,
    urls: all.map(({ url }) => url),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function deploymentOf(urls: readonly string[], partitions?: number): Deployment {
  const shards = urls.map((url) => redisOptionsOf(url, { connectTimeoutMs: 2_000 }));
  return new Deployment({ shards, prefix: PREFIX, partitions, log: memoryLog().log });
}

/** Which server each partition is on, by its place among the deployment's. */
async function placesOf(deployment: Deployment): Promise<string[]> {
  const { partitions } = await deployment.open();
  const places = new Array<string>(partitions).fill("");
  for (const { url, partitions } of deployment.shards) for (const p of partitions) places[p] = url;
  return places;
}

Deno.test("Deployment has one partition on one Redis, sixteen on several, and as many as were asked for", async () => {
  await using servers = await startServers(2);
  const [a = "", b = ""] = servers.urls;
  for (
    const [urls, asked, expected] of [[[a], undefined, 1], [[a, b], undefined, 16], [
      [b],
      4,
      4,
    ]] as const
  ) {
    for (const one of servers.all) await one.cli("FLUSHALL");
    await using deployment = deploymentOf(urls, asked);
    assert.equal((await deployment.open()).partitions, expected);
  }
});

Deno.test("Deployment goes by what is stored, whatever is configured later", async () => {
  await using servers = await startServers(3);
  const [a = "", b = "", c = ""] = servers.urls;
  await using first = deploymentOf([a, b], 8);
  const places = await placesOf(first);
  assert.deepEqual(
    places.map((url) => url.includes(`${servers.all[0]?.port}`)),
    range(0, 8).map((i) => i % 2 === 0),
  );
  const { secret } = await first.open();
  for (const urls of [[b, a], [a], [b], [c, a], [a, b, c]]) {
    await using other = deploymentOf(urls, 32);
    assert.deepEqual(await placesOf(other), places);
    assert.equal((await other.open()).secret, secret);
  }
});

Deno.test("Deployment is made once, by however many processes with the same list in any order", async () => {
  for (const _ of range(0, 5)) {
    await using servers = await startServers(3);
    await using stack = new AsyncDisposableStack();
    const orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]];
    const all = orders.map((order) =>
      stack.use(deploymentOf(order.map((i) => servers.urls[i] ?? "")))
    );
    const [first, ...others] = await Promise.all(all.map(placesOf));
    for (const places of others) assert.deepEqual(places, first);
  }
});

Deno.test("Deployment refuses Redis servers of two deployments, and lists that overlap", async () => {
  await using servers = await startServers(3);
  const [a = "", b = "", c = ""] = servers.urls;
  await using one = deploymentOf([a]);
  await one.open();
  await using two = deploymentOf([b]);
  await two.open();
  await using both = deploymentOf([a, b]);
  await assert.rejects(both.open(), { code: "not_configured" });
  await using overlapping = deploymentOf([a, c]);
  assert.equal((await overlapping.open()).partitions, 1, "c is of no deployment, and not used yet");
});

Deno.test("Deployment makes nothing while a server that may know better cannot be asked", async () => {
  await using servers = await startServers(1);
  const [a = ""] = servers.urls;
  const [server] = servers.all;
  await using deployment = deploymentOf([a, `redis://127.0.0.1:${freePort()}`]);
  await assert.rejects(deployment.open(), { code: "redis_unavailable" });
  assert.equal(await server?.cli("DBSIZE"), "0");
  await using known = deploymentOf([a]);
  await known.open();
  assert.equal((await deployment.open()).partitions, 1, "one that knows is enough");
});

Deno.test("Deployment takes over a partition that was there before there were placements", async () => {
  await using servers = await startServers(2);
  const [a = "", b = ""] = servers.urls;
  await using partition = new Partition(b, { prefix: PREFIX });
  await partition.publishOne("t", 1);
  await using deployment = deploymentOf([a, b], 16);
  assert.deepEqual(await placesOf(deployment), [`${b}/0`]);
});

Deno.test("Deployment writes its placement again into a Redis that came back without its data", async () => {
  await using servers = await startServers(2);
  await using deployment = deploymentOf(servers.urls);
  const { secret } = await deployment.open();
  const places = await placesOf(deployment);
  await servers.all[1]?.cli("FLUSHALL");
  await deployment.renew();
  assert.equal(await servers.all[1]?.cli("EXISTS", recordKey(PREFIX)), "1");
  for (const server of servers.all) await server.cli("FLUSHALL");
  await deployment.renew();
  await using other = deploymentOf(servers.urls);
  assert.deepEqual([await placesOf(other), (await other.open()).secret], [places, secret]);
});

Deno.test("Deployment gives way to another that was made where all its data were lost", async () => {
  await using servers = await startServers(1);
  await using before = deploymentOf(servers.urls, 1);
  await before.open();
  await servers.all[0]?.cli("FLUSHALL");
  await using after = deploymentOf(servers.urls, 4);
  const { secret } = await after.open();
  await before.renew();
  const layout = await before.open();
  assert.deepEqual([layout.secret, layout.partitions], [secret, 4]);
});

Deno.test("Deployment.open() fails in time where no server can be reached, and succeeds when one can", async () => {
  await using servers = await startServers(1);
  const [server] = servers.all;
  await server?.kill9();
  await using deployment = deploymentOf(servers.urls);
  await assert.rejects(deployment.open(), { code: "redis_unavailable" });
  await server?.restart();
  const { sites } = await until(() => deployment.open());
  assert.equal(await sites[0]?.run((client) => client.ping()), "PONG");
});
