import assert from "node:assert/strict";
import { Script } from "../../lib/redis/script.ts";
import { REDRIVE } from "../../lib/redis/scripts/redrive.lua.ts";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";
import { ack, dataOf, groupsOf, idsOf, publishWork, pull, putGroup } from "../_support/work.ts";
import { startConsumers } from "./consumers.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

Deno.test("a consumer killed with its leases leaves them to the others, and all killed to whoever comes", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const ids = await publishWork(url, 30);
  const leaseMs = 500;
  const streams = await Promise.all(
    [1, 2, 3].map(() =>
      openStream(`${url}/subscribe?topic=jobs&group=g&max=10&leaseMs=${leaseMs}`)
    ),
  );
  const [first, ...others] = streams;
  await Promise.all(streams.map((stream) => stream.messages(10)));
  await first?.close();
  for (const stream of others) await stream.close();
  const seen = new Map<string, number>();
  await until(async () => {
    const { messages } = await pull(url, { max: 100, waitMs: 2_000, leaseMs: 60_000 });
    for (const { id, deliveries } of messages) seen.set(id, deliveries);
    return seen.size === 30;
  });
  assert.deepEqual([...seen.keys()].toSorted(), ids.toSorted());
  assert.ok([...seen.values()].every((deliveries) => deliveries > 1));
});

Deno.test("an instance killed with -9 takes no message with it: its consumers' leases run out", async () => {
  await using redis = await startRedis();
  await using alive = await openRunnel({ redisUrl: redis.url });
  await using doomed = await startServer({
    redisUrl: redis.url,
    env: { RUNNEL_AUTH: "open" },
  });
  await putGroup(alive.url);
  await publishWork(alive.url, 20);
  await using stream = await openStream(
    `${doomed.url}/subscribe?topic=jobs&group=g&max=10&leaseMs=1000`,
  );
  const held = (await stream.messages(10)).map(({ data }) => data);
  const rest = await pull(alive.url, { max: 100, leaseMs: 60_000 });
  assert.equal(rest.messages.length, 10);
  const waiting = pull(alive.url, { max: 100, waitMs: 20_000 });
  await doomed.kill9();
  const back = await deadline(waiting, 10_000, "the leases of the dead");
  assert.deepEqual(dataOf(back), held);
});

Deno.test("a poison message among good ones dies alone", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const ids = await publishWork(url, 500);
  await using consumers = startConsumers({
    urls: [url],
    topic: "jobs",
    group: "g",
    count: 4,
    seed: 21,
    leaseMs: 5_000,
    isPoison: (data) => data === 77 || data === 402,
  });
  await until(async () => (await groupsOf(url)).every(({ lag, pending }) => lag + pending === 0));
  await consumers.stop();
  const dead = await readHistory(url, "$dead.jobs");
  assert.deepEqual(dead.map(({ data }) => data).toSorted(), [402, 77]);
  assert.deepEqual(dead.map(({ headers }) => headers?.["dead-deliveries"]), ["5", "5"]);
  assert.deepEqual(consumers.acked.size, 498);
  assert.deepEqual(ids.filter((id) => !consumers.worked.has(id)), [ids[77], ids[402]]);
});

Deno.test("a redrive that is interrupted half-way and repeated puts each dead letter back once", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const { url } = runnel;
  await putGroup(url, { maxDeliveries: 1 });
  const ids = [...await publishWork(url, 900), ...await publishWork(url, 900)];
  for (let i = 0; i < 2; i++) {
    const { lease, messages } = await pull(url, { max: 1_000 });
    await ack(url, messages.map(({ id }) => id), { outcome: "nack", lease });
  }
  assert.equal((await groupsOf(url))[0]?.dead, 1_800);
  const redrive = () => send(`${url}/topics/jobs/redrive`, { json: {} });
  // Redis does the second of its steps and cannot answer; before that the script must be known there
  await send(`${url}/topics/none/redrive`, { json: {} });
  const { sha } = new Script(REDRIVE);
  let steps = 0;
  const { done } = proxy.cutAfterRequest((bytes) => textOf(bytes).includes(sha) && ++steps === 2);
  const interrupted = await redrive();
  await done;
  assert.equal(interrupted.status, 503, JSON.stringify(interrupted.body));
  const left = (await groupsOf(url))[0]?.dead ?? 0;
  assert.ok(left > 0 && left < 1_800, `${left} are left`);
  assert.deepEqual((await redrive()).body, { redriven: left, unknown: [] });
  const back: string[] = [];
  for (let i = 0; i < 2; i++) back.push(...idsOf(await pull(url, { max: 1_000 })));
  assert.deepEqual(back.toSorted(), ids.toSorted());
  assert.deepEqual((await pull(url)).messages, []);
});

Deno.test("a redrive ends though what it puts back dies again meanwhile", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url, { maxDeliveries: 1 });
  await publishWork(url, 800);
  await using consumers = startConsumers({
    urls: [url],
    topic: "jobs",
    group: "g",
    count: 4,
    seed: 22,
    leaseMs: 5_000,
    isPoison: () => true,
  });
  const through = async () =>
    (await groupsOf(url)).every(({ dead, pending, lag }) => dead === 800 && pending + lag === 0);
  await until(through);
  const { body } = await deadline(send(`${url}/topics/jobs/redrive`, { json: {} }), 10_000);
  assert.deepEqual(body, { redriven: 800, unknown: [] });
  await until(through);
  await consumers.stop();
});

Deno.test("leases outlive a clock that jumped: those too far ahead count as ended, and none ends twice", async () => {
  await using fixture = await startRunnel();
  const { url, redis } = fixture;
  await putGroup(url);
  const [id = ""] = await publishWork(url, 1);
  const { lease } = await pull(url, { leaseMs: 1_000 });
  // an hour ahead: what the script writes where the clock goes back after it
  const ahead = Date.now() + 3_600_000;
  await redis.cli("HSET", "{rn:0}:g:jobs|g", "seen", `${ahead}`);
  await redis.cli("ZADD", "{rn:0}:g:jobs|g:due", `${ahead + 1_000}`, id);
  const { messages, lease: next } = await pull(url, { leaseMs: 60_000 });
  assert.deepEqual(messages.map((one) => [one.id, one.deliveries]), [[id, 2]]);
  assert.ok(Number(next) > Number(lease));
  assert.deepEqual((await pull(url)).messages, [], "while the new one holds");
  assert.equal((await ack(url, [id], { lease })).done, 0);
  assert.equal((await ack(url, [id], { lease: next })).done, 1);
});
