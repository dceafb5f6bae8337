import assert from "node:assert/strict";
import { Broker } from "../../lib/broker/broker.ts";
import { SSE } from "../../lib/broker/encoder.ts";
import { prepareMessage, publishSchema } from "../../lib/broker/publish_input.ts";
import { parseStart } from "../../lib/broker/start.ts";
import type { SubscribeRequest } from "../../lib/broker/subscription.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { RunnelError } from "../../lib/errors.ts";
import { Deployment } from "../../lib/redis/deployment.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { MemorySink } from "../_support/memory_sink.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { deadline, until } from "../_support/until.ts";

const redis = shareRedis();

/** A broker with connections of its own; both end together. */
class Instance implements AsyncDisposable {
  readonly broker: Broker;
  readonly #deployment: Deployment;

  constructor({ url = redis.server.url, prefix = crypto.randomUUID().slice(0, 8) } = {}) {
    const { log } = memoryLog();
    const shards = [redisOptionsOf(url, { connectTimeoutMs: 300 })];
    const deployment = this.#deployment = new Deployment({ shards, prefix, log });
    this.broker = new Broker({
      deployment,
      log,
      prefix,
      retention: { maxMessages: 1_000, maxAgeMs: undefined },
      idempotencyMs: 60_000,
      backlogFactor: 10,
      heartbeatMs: 160,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await this.#deployment[Symbol.asyncDispose]();
  }
}

const message = (input: Record<string, unknown>) =>
  prepareMessage(publishSchema.parse({ topic: "a", data: 1, ...input }));

function request(names: string[], since = "latest"): SubscribeRequest {
  return {
    filter: new TopicFilter(names),
    start: parseStart(since, "?since"),
    encoder: SSE.message,
  };
}

Deno.test("Broker.publish() answers stored and ephemeral messages in the order they came", async () => {
  await using instance = new Instance();
  const { broker } = instance;
  const sink = new MemorySink();
  const subscription = await broker.subscribe(request(["a"]));
  const served = broker.serve(subscription, sink);
  await until(() => subscription.state === "live");
  const outcomes = await broker.publish([
    message({ data: 1 }),
    message({ data: 2, durability: "ephemeral" }),
    message({ data: 3 }),
  ]);
  assert.deepEqual(outcomes.map((one) => one instanceof RunnelError ? one.code : one.id === null), [
    false,
    true,
    false,
  ]);
  await sink.count(3);
  assert.deepEqual([...sink.data].sort(), [1, 2, 3]);
  sink.leave();
  await served;
});

Deno.test("Broker.publish() gives each message its own outcome", async () => {
  await using instance = new Instance();
  const { broker } = instance;
  const first = await broker.publish([message({ idempotencyKey: "k" })]);
  const outcomes = await broker.publish([
    message({ data: 5 }),
    message({ idempotencyKey: "k" }),
    message({ idempotencyKey: "k", data: 2 }),
  ]);
  const [original] = first;
  assert.ok(original !== undefined && "id" in original);
  assert.deepEqual(outcomes.slice(1).map((one) => one instanceof RunnelError ? one.code : one), [
    { id: original.id, duplicate: true },
    "idempotency_conflict",
  ]);
});

Deno.test("Broker serves a subscription with heartbeats until its client leaves", async () => {
  await using instance = new Instance();
  const { broker } = instance;
  const sink = new MemorySink();
  const served = broker.serve(await broker.subscribe(request(["a"])), sink);
  await until(() => sink.blocks.filter(({ idOnly }) => idOnly).length >= 2);
  sink.leave();
  await served;
});

Deno.test("Broker.drain() ends streams, answers what is under way and takes nothing new", async () => {
  await using instance = new Instance();
  const { broker } = instance;
  const sinks = [new MemorySink(), new MemorySink()];
  const stuck = sinks[1] ?? assert.fail();
  for (const sink of sinks) void broker.serve(await broker.subscribe(request(["a"])), sink);
  stuck.hold();
  await broker.publish([message({ data: "x".repeat(600_000) })]);
  const opened = await broker.subscribe(request(["a"]));
  const publishing = broker.publish(Array.from({ length: 1_200 }, (_, i) => message({ data: i })));
  await deadline(broker.drain(), 3_000, "the drain");
  assert.ok((await publishing).every((one) => !(one instanceof RunnelError)));
  for (const sink of sinks) {
    assert.deepEqual(sink.told("$bye").map(({ reason }) => reason), ["shutdown"]);
    assert.equal(sink.ended, true);
  }
  const late = new MemorySink();
  await broker.serve(opened, late);
  assert.equal(late.ended, true, "a stream that was just being opened ends too");
  await assert.rejects(broker.subscribe(request(["a"])), { code: "shutting_down" });
  const [refused] = await broker.publish([message({})]);
  assert.ok(refused instanceof RunnelError && refused.code === "shutting_down");
});

Deno.test("Broker says in time why nothing goes where Redis is away", async () => {
  await using instance = new Instance({ url: `redis://127.0.0.1:${freePort()}` });
  const { broker } = instance;
  const unavailable = { code: "redis_unavailable" };
  await deadline(
    Promise.all([
      assert.rejects(broker.subscribe(request(["a"])), unavailable),
      assert.rejects(broker.subscribe({ ...request(["a"], "earliest"), wait: false }), unavailable),
      assert.rejects(broker.check(), unavailable),
      broker.publish([message({}), message({ durability: "ephemeral" })]).then((outcomes) => {
        for (const one of outcomes) {
          assert.ok(one instanceof RunnelError && one.code === unavailable.code);
        }
      }),
    ]),
    2_500,
    "answers",
  );
});

Deno.test("Broker.check() tells the generation that reigns", async () => {
  await using instance = new Instance();
  const { generation } = await instance.broker.check();
  assert.ok(generation > 0);
});

Deno.test("Broker shares topics with other instances on the same prefix", async () => {
  const prefix = crypto.randomUUID().slice(0, 8);
  await using one = new Instance({ prefix });
  await using two = new Instance({ prefix });
  const sink = new MemorySink();
  const served = one.broker.serve(await one.broker.subscribe(request(["**"])), sink);
  const outcomes = await Promise.all(
    [one, two, one, two].map(({ broker }, i) => broker.publish([message({ topic: `t.${i}` })])),
  );
  const ids = outcomes.flat().map((outcome) => "id" in outcome ? outcome.id : assert.fail());
  await sink.count(4);
  assert.deepEqual(new Set(sink.ids), new Set(ids));
  sink.leave();
  await served;
});
