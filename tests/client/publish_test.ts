import assert from "node:assert/strict";
import { createClient, RunnelError } from "../../lib/client/mod.ts";
import { startRunnel } from "../_support/fixture.ts";
import { startProxy } from "../_support/tcp_proxy.ts";

Deno.test("publish() stores a message", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const { id, topic, duplicate } = await client.publish("a", { n: 1 }, { key: "k", type: "t" });
  assert.match(`${id}`, /^\d+-\d+$/);
  assert.deepEqual({ topic, duplicate }, { topic: "a", duplicate: false });
  const { messages } = await client.call(["topics", "a", "messages"]) as { messages: unknown[] };
  assert.equal(messages.length, 1);
});

Deno.test("publish() sends what is called in one turn together, in order, each with an outcome of its own", async () => {
  await using runnel = await startRunnel();
  const paths: string[] = [];
  const client = createClient({
    url: runnel.url,
    fetch: (input, init) => {
      paths.push(new URL(`${input}`).pathname);
      return fetch(input, init);
    },
  });
  const outcomes = await Promise.allSettled(
    ["a", "no good", "a"].map((topic, i) => client.publish(topic, i)),
  );
  assert.deepEqual(paths, ["/batch"]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  const refused = outcomes[1];
  assert.ok(refused?.status === "rejected" && refused.reason instanceof RunnelError);
  assert.equal(refused.reason.status, 400);
  const { messages } = await client.call("topics/a/messages") as { messages: { data: unknown }[] };
  assert.deepEqual(messages.map(({ data }) => data), [0, 2]);
});

Deno.test("publish() sends again what had no answer, and it is stored once, in order", async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}` });
  const { done } = proxy.cutAfterRequest(/POST \/(publish|batch)/, { times: 2 });
  const results = await Promise.all(Array.from({ length: 30 }, (_, i) => client.publish("a", i)));
  await done;
  assert.ok(results.every(({ duplicate }) => duplicate));
  const { messages } = await client.call("topics/a/messages") as { messages: { data: unknown }[] };
  assert.deepEqual(messages.map(({ data }) => data), Array.from({ length: 30 }, (_, i) => i));
});

Deno.test("publish() gives up after its attempts, and says that it is not known", async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  proxy.down();
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}`, attempts: 2 });
  await assert.rejects(client.publish("a", 1), {
    ...{ name: "RunnelError", code: "unreachable", status: 0, retryable: true },
  });
});

Deno.test("publish() waits for Redis to be back", async () => {
  await using runnel = await startRunnel({ redis: { appendonly: false } });
  const client = createClient(runnel);
  await client.publish("a", 0);
  await runnel.redis.stop();
  const late = client.publish("a", 1, { attempts: 30 });
  await runnel.redis.restart();
  assert.match(`${(await late).id}`, /-/);
});

Deno.test("publish() lets go when its signal aborts", async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  proxy.down();
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}`, attempts: 3 });
  const control = new AbortController();
  const publishing = client.publish("a", 1, { signal: control.signal });
  control.abort();
  await assert.rejects(publishing, { name: "AbortError" });
});

Deno.test("publish() takes bytes", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  await client.publish("a", new Uint8Array([0, 255]), { contentType: "image/x" });
  const { messages } = await client.call("topics/a/messages") as { messages: object[] };
  assert.partialDeepStrictEqual(messages[0], { dataBase64: "AP8=", contentType: "image/x" });
});

Deno.test("batch() says what became of each, or stores all or none", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const some = await client.batch([{ topic: "a", data: 1 }, { topic: "no good" }]);
  assert.ok(!(some[0] instanceof RunnelError) && some[1] instanceof RunnelError);
  const all = await client.batch([{ topic: "a", data: 2 }, { topic: "b" }], { atomic: true });
  assert.deepEqual(all.map((one) => one instanceof RunnelError ? "" : one.topic), ["a", "b"]);
  await assert.rejects(
    client.batch([{ topic: "a" }, { topic: "no good" }], { atomic: true }),
    { code: "invalid_request" },
  );
});
