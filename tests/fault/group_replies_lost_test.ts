import assert from "node:assert/strict";
import { WorkCalls } from "../../lib/broker/work_calls.ts";
import type { WorkOp, WorkResult } from "../../lib/redis/group.ts";
import type { GroupStore } from "../../lib/redis/group_store.ts";
import { Script } from "../../lib/redis/script.ts";
import { WORK } from "../../lib/redis/scripts/work.lua.ts";
import type { Stamp } from "../../lib/redis/stamp.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { Partition } from "../_support/partition.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { ackOp, pullOp } from "../_support/scripted_groups.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { ack, dataOf, groupsOf, idsOf, publishWork, pull, putGroup } from "../_support/work.ts";

/** Pulls, acks and nacks on their way to Redis, and no other script. */
const WORK_CALL = new RegExp(new Script(WORK).sha);

/** A Runnel with a proxy before it and another behind it. */
interface Stage extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly runnel: Runnel;
  /** Runnel's own address. */
  readonly url: string;
  /** Runnel's address through a proxy. */
  readonly far: string;
  readonly toRunnel: TcpProxy;
  readonly toRedis: TcpProxy;
}

async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ appendonly: false }));
  const toRedis = stack.use(startProxy({ port: redis.port }));
  const redisUrl = `redis://127.0.0.1:${toRedis.port}`;
  const runnel = stack.use(await openRunnel({ redisUrl }));
  const { url } = runnel;
  const toRunnel = stack.use(startProxy({ port: Number(new URL(url).port) }));
  const far = `http://127.0.0.1:${toRunnel.port}`;
  const all = stack.move();
  return {
    redis,
    runnel,
    url,
    far,
    toRunnel,
    toRedis,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Does something whose answer is lost between Runnel and its client; on a used connection fetch tries again itself. */
async function loseAnswer(stage: Stage, path: string, work: () => Promise<unknown>): Promise<void> {
  const { done } = stage.toRunnel.cutAfterRequest(new RegExp(`POST /${path} `));
  await work().catch(() => {});
  await done;
}

Deno.test("a pull whose answer was lost is repeated with the same attempt, and gives the same messages", async () => {
  await using stage = await openStage();
  const { url, far } = stage;
  await putGroup(url);
  const ids = await publishWork(url, 20);
  const got: string[] = [];
  for (let attempt = 1; attempt <= 10; attempt++) {
    const wanted = { consumer: "a", attempt, max: 2 };
    await loseAnswer(stage, "pull", () => pull(far, wanted));
    const { messages } = await pull(far, wanted);
    assert.deepEqual(messages.map(({ deliveries }) => deliveries), [1, 1]);
    got.push(...messages.map(({ id }) => id));
  }
  assert.deepEqual(got, ids);
  assert.equal((await ack(far, ids)).done, 20);
});

Deno.test("twin: without an attempt the messages of lost answers are leased to nobody", async () => {
  await using stage = await openStage();
  const { url, far } = stage;
  await putGroup(url);
  await publishWork(url, 4);
  await loseAnswer(stage, "pull", () => pull(far, { consumer: "a", max: 2 }));
  assert.deepEqual(dataOf(await pull(far, { consumer: "a", max: 4 })), [2, 3]);
});

Deno.test("an ack and a nack whose answers were lost are repeated and done once", async () => {
  await using stage = await openStage();
  const { url, far } = stage;
  await putGroup(url);
  const [done = "", back = ""] = await publishWork(url, 2);
  const { lease } = await pull(far, { max: 2 });
  await loseAnswer(stage, "ack", () => ack(far, [done]));
  assert.deepEqual(await ack(far, [done]), { done: 0, unknown: [done] });
  const nack = { outcome: "nack", lease };
  await loseAnswer(stage, "ack", () => ack(far, [back], nack));
  await ack(far, [back], nack);
  const { messages } = await pull(far, { max: 5 });
  assert.deepEqual(messages.map(({ id, deliveries }) => [id, deliveries]), [[back, 2]]);
  assert.deepEqual(await ack(far, [back], nack), { done: 0, unknown: [back] }, "another holds it");
  assert.deepEqual((await groupsOf(url)).map(({ lag, pending }) => [lag, pending]), [[0, 1]]);
});

Deno.test("pulls, acks and nacks that Redis did and could not answer are done once, without the client's help", async () => {
  await using stage = await openStage();
  const { url, toRedis } = stage;
  await putGroup(url);
  const ids = await publishWork(url, 20);
  for (let i = 0; i < 20; i += 2) {
    const lost = toRedis.cutAfterRequest(WORK_CALL);
    const pulled = await pull(url, { max: 2 });
    await lost.done;
    assert.deepEqual(idsOf(pulled), ids.slice(i, i + 2));
    const [first = "", second = ""] = idsOf(pulled);
    const lostAck = toRedis.cutAfterRequest(WORK_CALL);
    assert.deepEqual(await ack(url, [first]), { done: 1, unknown: [] });
    await lostAck.done;
    const lostNack = toRedis.cutAfterRequest(WORK_CALL);
    const nack = { outcome: "nack", lease: pulled.lease, delayMs: 60_000 };
    assert.deepEqual(await ack(url, [second], nack), { done: 1, unknown: [] });
    await lostNack.done;
  }
  assert.deepEqual((await groupsOf(url)).map(({ lag, pending }) => [lag, pending]), [[0, 10]]);
});

/** Pulls one of ten messages, ten times, and loses each reply; gives the numbers of those that came. */
async function pullWithLostReplies(
  storeOf: (groups: GroupStore) => Pick<GroupStore, "work">,
): Promise<number[]> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using partition = new Partition(`redis://127.0.0.1:${proxy.port}`, { prefix: "rn" });
  const { store } = partition;
  await using calls = new WorkCalls({
    store: storeOf(store.groups),
    reset: () => store.resetLane(),
    log: memoryLog().log,
  });
  await calls.pull(pullOp());
  await partition.publish("jobs", ...Array.from({ length: 10 }, (_, i) => i));
  const got: number[] = [];
  for (let i = 0; i < 10; i++) {
    const { done } = proxy.cutAfterRequest(WORK_CALL);
    const { messages } = await calls.pull(pullOp({ leaseMs: 60_000 }));
    await done;
    got.push(...messages.map(({ message }) => JSON.parse(message.body).data));
  }
  await calls.settle(ackOp());
  return got;
}

Deno.test("WorkCalls sends a pull again under the same number, and Redis does it once", async () => {
  const got = await pullWithLostReplies((groups) => groups);
  assert.deepEqual(got, Array.from({ length: 10 }, (_, i) => i));
});

Deno.test("twin: a pull that gets a new number each time it is sent leases messages to nobody", async () => {
  let sent = 0;
  const got = await pullWithLostReplies((groups) => ({
    work: (call: Stamp & { readonly ops: readonly WorkOp[] }): Promise<readonly WorkResult[]> =>
      groups.work({ ...call, number: ++sent }),
  }));
  assert.ok(got.length < 10, `${got}`);
});
