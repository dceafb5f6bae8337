import assert from "node:assert/strict";
import { z } from "zod";
import { createClient, type Message, RunnelError } from "../../lib/client/mod.ts";
import { startRunnel } from "../_support/fixture.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

Deno.test("pull(), ack(), nack() and extend() share the work of a group", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const none = await client.pull("jobs", { group: "g" });
  assert.deepEqual(none.messages, []);
  for (const data of [1, 2, 3]) await client.publish("jobs", data);
  const { messages, lease } = await client.pull<number>("jobs", { group: "g", max: 3 });
  assert.deepEqual(messages.map(({ data }) => data), [1, 2, 3]);
  const [first = "", second = "", third = ""] = messages.map(({ id }) => id);
  assert.deepEqual(await client.ack("jobs", { group: "g", ids: [first] }), {
    ...{ done: 1, unknown: [] },
  });
  const held = { group: "g", lease };
  assert.equal((await client.extend("jobs", { ...held, ids: [second], leaseMs: 60_000 })).done, 1);
  assert.equal((await client.nack("jobs", { ...held, ids: [third] })).done, 1);
  const again = await client.pull("jobs", { group: "g", max: 3 });
  assert.deepEqual(again.messages.map(({ data, deliveries }) => [data, deliveries]), [[3, 2]]);
});

Deno.test("work() acknowledges what is done, and gets again what has failed", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const seen: unknown[] = [];
  const errors: unknown[] = [];
  const worker = client.work<number>("jobs", "g", ({ data, deliveries }) => {
    seen.push(data);
    if (data === 2 && deliveries === 1) throw new Error("not yet");
  }, { since: "earliest", delayMs: () => 0, onError: (error) => errors.push(error) });
  for (const data of [1, 2, 3]) await client.publish("jobs", data);
  await until(() => seen.length === 4);
  await worker.close();
  assert.deepEqual(seen.toSorted(), [1, 2, 2, 3]);
  assert.equal(errors.length, 1);
  const { groups } = await client.call(["topics", "jobs"]) as { groups: { pending: number }[] };
  assert.equal(groups[0]?.pending, 0);
});

Deno.test("work() works on as many at a time as it is told, and holds them for longer than a lease", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  let running = 0, most = 0, done = 0;
  const go = Promise.withResolvers<void>();
  const deliveries: (number | undefined)[] = [];
  const worker = client.work("jobs", "g", async (message, { signal }) => {
    deliveries.push(message.deliveries);
    most = Math.max(most, ++running);
    await go.promise;
    assert.equal(signal.aborted, false);
    running--;
    done++;
  }, { concurrency: 3, leaseMs: 3_000, since: "earliest" });
  for (let i = 0; i < 4; i++) await client.publish("jobs", i);
  await until(() => running === 3);
  const { messages } = await client.pull("jobs", { group: "g", max: 9, waitMs: 4_000 });
  // the fourth alone: those that are held are not given out, though their first lease is over
  assert.deepEqual(messages.map(({ data }) => data), [3]);
  go.resolve();
  await until(() => done === 3);
  await worker.close();
  assert.equal(most, 3);
  assert.deepEqual(deliveries, [1, 1, 1]);
});

Deno.test("work() goes on when links are cut, and does each message", async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}` });
  const done = new Set<unknown>();
  const worker = client.work("jobs", "g", ({ data }) => done.add(data), {
    ...{ since: "earliest", leaseMs: 5_000, concurrency: 4 },
  });
  const publisher = createClient(runnel);
  for (let i = 0; i < 40; i++) {
    await publisher.publish("jobs", i);
    if (i % 10 === 5) proxy.cutAll();
  }
  await until(() => done.size === 40, { timeoutMs: 30_000 });
  await worker.close();
});

Deno.test("work() ends with what the server refuses for good", async () => {
  await using runnel = await startRunnel();
  const worker = createClient(runnel).work("no good", "g", () => {});
  await assert.rejects(worker.closed, { code: "invalid_request" });
});

Deno.test("serve() answers what request() asks", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const server = client.serve<string>("greet", (name) => `Hello, ${name}`, { since: "earliest" });
  const reply = await client.request<string>("greet", "ada");
  assert.equal(reply.data, "Hello, ada");
  await server.close();
  await assert.rejects(client.request("greet", "bob", { timeoutMs: 50 }), { code: "no_reply" });
});

Deno.test("requestMany() takes several replies, which reply() gives", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const both = ["a", "b"].map((name) =>
    client.subscribe("who", { onMessage: (message) => client.reply(message, name) })
  );
  await until(() => both.every(({ state }) => state.status === "live"));
  const replies = await client.requestMany<string>("who", null, { replies: 2 });
  assert.deepEqual(replies.map(({ data }) => data).sort(), ["a", "b"]);
  for (const stream of both) stream.close();
  await Promise.all(both.map(({ closed }) => closed));
});

Deno.test("topic() types and checks with zod what is published and what comes", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const orders = client.topic("orders", z.object({ id: z.int(), at: z.coerce.date().optional() }));
  const stream = orders.subscribe({ since: "earliest" });
  await orders.publish({ id: 7, at: new Date(0) });
  for await (const { data } of stream) {
    const { id, at }: { id: number; at?: Date | undefined } = data;
    assert.deepEqual({ id, at }, { id: 7, at: new Date(0) });
    break;
  }
  // what a caller does who has no types
  const wrong = { id: "x" } as unknown as { id: number };
  await assert.rejects(orders.publish(wrong), (error: unknown) => {
    assert.ok(error instanceof RunnelError);
    assert.equal(error.code, "invalid_data");
    assert.deepEqual(error.errors.map(({ pointer }) => pointer), ["#/id"]);
    return true;
  });
  await client.publish("orders", "no order");
  const next = orders.subscribe({ since: "last:1" });
  await assert.rejects(async () => {
    for await (const _ of next) break;
  }, { code: "invalid_data" });
});

Deno.test("confirm() tells a publisher who waits for it", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  let subscription = "";
  const stream = client.subscribe("a", {
    onEvent: (event) => {
      if (event.event === "$ready") subscription = event.subscription;
    },
    onMessage: (message: Message) => client.confirm(message, subscription),
  });
  await until(() => subscription !== "");
  const confirm = { subscribers: 1, timeoutMs: 10_000 };
  const { confirmed } = await client.publish("a", 1, { confirm });
  assert.equal(confirmed, true);
  stream.close();
  await stream.closed;
});
