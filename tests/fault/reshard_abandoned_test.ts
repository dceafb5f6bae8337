import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { Script } from "../../lib/redis/script.ts";
import { LEAVE } from "../../lib/redis/scripts/leave.lua.ts";
import { OPEN } from "../../lib/redis/scripts/open.lua.ts";
import { range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { publish, publishId } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { reshardTo } from "../_support/reshard.ts";
import { openStream } from "../_support/sse.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";

const TOPICS = range(0, 8).map((i) => `t${i}`);

interface Stage extends AsyncDisposable {
  readonly a: RedisServer;
  readonly b: RedisServer;
  /** The coordinator's way to a. */
  readonly toA: TcpProxy;
  /** One that knows the partition, and one that was never used. */
  readonly known: Runnel;
  readonly fresh: Runnel;
}

async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const [a, b] = [stack.use(await startRedis()), stack.use(await startRedis())];
  const toA = stack.use(startProxy({ port: a.port }));
  const known = stack.use(await openRunnel({ redisUrl: a.url }));
  const fresh = stack.use(await openRunnel({ redisUrl: `${a.url} ${b.url}` }));
  for (const topic of TOPICS) await publishId(known.url, { topic, data: "before" });
  const all = stack.move();
  return { a, b, toA, known, fresh, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Runs a coordinator that never hears that the partition was given up, and ends there. */
async function abandon({ toA, a, b }: Stage, partitions: number): Promise<void> {
  const over = new AbortController();
  const { done } = toA.cutAfterRequest(new RegExp(new Script(LEAVE).sha));
  done.then(() => over.abort(new Error("abandoned")));
  const from = [`redis://127.0.0.1:${toA.port}`];
  const to = partitions === 1 ? [b.url] : [a.url, b.url];
  await assert.rejects(
    reshardTo({ from, to, partitions, signal: over.signal }),
    /abandoned|aborted/,
  );
}

for (const [name, partitions] of [["moved", 1], ["split", 8]] as const) {
  Deno.test(`what a coordinator has ${name} and not opened is opened by whoever needs it`, async () => {
    await using stage = await openStage();
    await using stream = await openStream(`${stage.known.url}/subscribe?topic=*`);
    await stream.until("$ready");
    await abandon(stage, partitions);
    for (const { url } of [stage.known, stage.fresh]) {
      for (const topic of TOPICS) {
        assert.equal((await publish(url, { topic, data: "after" })).status, 200);
      }
    }
    for (const topic of TOPICS) {
      const data = (await readHistory(stage.fresh.url, topic)).map(({ data }) => data);
      assert.deepEqual(data, ["before", "after", "after"]);
    }
  });

  Deno.test(`a coordinator that does not hear that it has ${name} a partition finds out`, async () => {
    await using stage = await openStage();
    const { toA, a, b } = stage;
    toA.cutAfterRequest(new RegExp(new Script(LEAVE).sha));
    const from = [`redis://127.0.0.1:${toA.port}`];
    const to = partitions === 1 ? [b.url] : [a.url, b.url];
    const result = await reshardTo({ from, to, partitions });
    assert.equal(result.partitions, partitions);
    for (const topic of TOPICS) {
      assert.equal((await publish(stage.fresh.url, { topic, data: "after" })).status, 200);
    }
    // and there is nothing left to be done
    assert.equal((await reshardTo({ from: to, to, partitions })).moved, 0);
  });
}

Deno.test("a coordinator whose Redis is lost while it opens a partition is followed by another", async () => {
  await using stage = await openStage();
  const { a, b } = stage;
  await using toB = startProxy({ port: b.port });
  const over = new AbortController();
  const { done } = toB.cutAfterRequest(new RegExp(new Script(OPEN).sha));
  done.then(() => over.abort(new Error("abandoned")));
  const to = [`redis://127.0.0.1:${toB.port}`];
  await assert.rejects(reshardTo({ from: [a.url], to, signal: over.signal }), /abandoned|aborted/);
  await publishId(stage.known.url, { topic: "t0", data: "after" });
  const result = await reshardTo({ from: [a.url, b.url], to: [b.url] });
  assert.deepEqual(result.shards.map(({ url }) => url), [`${b.url}/0`]);
  assert.equal((await readHistory(stage.fresh.url, "t0")).length, 2);
});
