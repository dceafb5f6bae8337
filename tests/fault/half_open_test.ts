import assert from "node:assert/strict";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import type { TopologyName } from "../../lib/cli/topology/topology.ts";
import { range } from "../_support/fill.ts";
import { type Fronted, startFronted } from "../_support/fronts.ts";
import { publish, publishId } from "../_support/http.ts";
import type { Runnel } from "../_support/open_runnel.ts";
import { openOn, primariesOf } from "../_support/topologies.ts";
import { deadline, until } from "../_support/until.ts";
import { watch, type Watcher } from "./watcher.ts";

const FOUND_MS = 10_000;
/** What the links that hear of messages begin with. */
const A_FEED = /subscribe\r\n/i;
/** Enough of them that each shard and each node has some. */
const TOPICS = range(0, 24).map((n) => `t${n}`);

/** Makes what was dialled since the count half-open: what is dialled from now on works. */
function forget(
  { proxyOf }: Fronted,
  { before, begin = /^/ }: { before: ReadonlyMap<RedisServer, number>; begin?: RegExp },
): void {
  for (const [server, but] of before) proxyOf(server).forget({ but, begin });
}

/** How many links each server was dialled by so far: the others' own, which are not to break. */
function countLinks(
  { proxyOf }: Fronted,
  servers: readonly RedisServer[],
): ReadonlyMap<RedisServer, number> {
  return new Map(servers.map((server) => [server, proxyOf(server).accepted]));
}

async function publishAll(url: string, n: string): Promise<string[]> {
  return await Promise.all(TOPICS.map((topic) => publishId(url, { topic, data: { n } })));
}

/** Publishes to each topic until it is told that it is done. */
async function insist(url: string, n: string): Promise<string[]> {
  return await Promise.all(TOPICS.map(async (topic) => {
    const message = { topic, data: { n }, idempotencyKey: n };
    const attempt = async () => {
      const { status, body } = await deadline(publish(url, message), FOUND_MS, "an answer");
      assert.ok(status === 200 || status === 503, JSON.stringify(body));
      return status === 200 && `${body.id}`;
    };
    return await until(attempt, { timeoutMs: FOUND_MS, what: "a publish to be done" });
  }));
}

async function untilSeen(watchers: readonly Watcher[], ids: readonly string[]): Promise<void> {
  await until(() => watchers.every((one) => ids.every((id) => one.has(id))), {
    timeoutMs: FOUND_MS,
    what: "what was published",
  });
}

function assertComplete(watchers: readonly Watcher[], expected: readonly string[]): void {
  for (const { name, seen, gaps, connections } of watchers) {
    assert.deepEqual([gaps, connections], [[], 1], name);
    for (const topic of TOPICS) {
      const own = seen.filter((one) => one.topic === topic).map(({ n }) => n);
      assert.deepEqual(own, expected, `${topic} to ${name}`);
    }
  }
}

async function watchBoth({ url }: Runnel) {
  const urls = [url];
  const named = await watch({ urls, silenceMs: 60_000, topics: TOPICS });
  const open = await watch({ urls, silenceMs: 60_000, topics: ["*"], expects: TOPICS });
  return [named, open] as const;
}

for (const name of ["single", "shards", "sentinel", "cluster"] satisfies TopologyName[]) {
  Deno.test(`half-open links of ${name} are found within ten seconds by commands and by the feed, and nothing is lost or doubled`, async () => {
    await using fronted = await startFronted(name);
    const { topology } = fronted;
    // this one's links are well all the time
    await using other = await openOn(topology);
    await publishAll(other.url, "0");
    const primaries = await primariesOf(topology);
    const before = countLinks(fronted, primaries);
    await using runnel = await openOn(topology);
    await using stack = new AsyncDisposableStack();
    const watchers = await watchBoth(runnel);
    for (const watcher of watchers) stack.use(watcher);
    await untilSeen(watchers, await publishAll(runnel.url, "1"));
    for (const [server, but] of before) {
      assert.ok(fronted.proxyOf(server).accepted >= but + 2, "a link for commands, and the feed's");
    }

    // commands go on: only a probe that does not come back can tell
    forget(fronted, { before, begin: A_FEED });
    await untilSeen(watchers, await publishAll(other.url, "2"));
    forget(fronted, { before });
    await untilSeen(watchers, await publishAll(other.url, "3"));

    // whoever publishes at once is told within the time, and it works within the time
    forget(fronted, { before });
    await untilSeen(watchers, await insist(runnel.url, "4"));
    assertComplete(watchers, ["1", "2", "3", "4"]);
  });
}
