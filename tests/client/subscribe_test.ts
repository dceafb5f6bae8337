import assert from "node:assert/strict";
import {
  type ConnectionState,
  createClient,
  type Message,
  RunnelError,
  type StreamEvent,
} from "../../lib/client/mod.ts";
import { ALL, JWT_ENV, token } from "../_support/credentials.ts";
import { type Fixture, startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

function portOf(runnel: Fixture): number {
  return Number(new URL(runnel.url).port);
}

async function take(stream: AsyncIterable<Message>, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const { data } of stream) if (seen.push(data) === count) break;
  return seen;
}

Deno.test("subscribe() is a loop over messages, which leaving closes", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const stream = client.subscribe(["a", "b.*"], { since: "earliest" });
  await client.publish("a", 1);
  await client.publish("b.c", { two: 2 });
  assert.deepEqual(await take(stream, 2), [1, { two: 2 }]);
  await stream.closed;
  assert.equal(stream.state.status, "closed");
});

Deno.test("subscribe() calls back with messages, events and states", async () => {
  await using runnel = await startRunnel();
  const client = createClient({ url: `${runnel.url}/` });
  const seen: string[] = [];
  const events: StreamEvent[] = [];
  const states: ConnectionState[] = [];
  const stream = client.subscribe("a", {
    onMessage: ({ data }) => seen.push(`${data}`),
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
  });
  await until(() => stream.state.status === "live");
  await client.publish("a", "x", { type: "created" });
  await until(() => seen.length === 1);
  const { cursor } = stream;
  assert.match(cursor, /^\d+-\d+/);
  stream.close();
  await stream.closed;
  assert.deepEqual(states.map(({ status }) => status), ["connecting", "live", "closed"]);
  assert.deepEqual(events.map(({ event }) => event), ["$ready"]);
});

Deno.test("subscribe() goes on without a gap or a duplicate when its link is cut", async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: portOf(runnel) });
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}` });
  const states = new Set<string>();
  const seen: unknown[] = [];
  const stream = client.subscribe(["a", "b.*"], {
    onMessage: ({ data }) => seen.push(data),
    onState: ({ status }) => states.add(status),
  });
  await until(() => stream.state.status === "live");
  proxy.cutAll(); // nothing was seen yet: only the cursor of $ready tells where to go on
  for (let i = 0; i < 30; i++) {
    await publishId(runnel.url, { topic: i % 2 === 0 ? "a" : `b.${i}`, data: i });
    if (i % 10 === 5) {
      await until(() => seen.length > i);
      proxy.cutAll();
    }
  }
  await until(() => seen.length === 30);
  assert.deepEqual(seen, Array.from({ length: 30 }, (_, i) => i));
  assert.deepEqual([...states].sort(), ["connecting", "live", "waiting"]);
  stream.close();
  await stream.closed;
});

Deno.test("subscribe() throws what cannot be cured in its loop", async () => {
  await using runnel = await startRunnel();
  const stream = createClient(runnel).subscribe("no good");
  await assert.rejects(take(stream, 1), (error: unknown) => {
    assert.ok(error instanceof RunnelError);
    const { code, status, retryable, errors, requestId } = error;
    assert.deepEqual({ code, status, retryable }, {
      ...{ code: "invalid_topic", status: 400, retryable: false },
    });
    assert.equal(errors[0]?.pointer, "?topic");
    assert.ok(requestId);
    return true;
  });
  assert.equal(stream.state.status, "closed");
});

Deno.test("subscribe() ends after limit messages, and where it is not to wait", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  for (let i = 0; i < 5; i++) await client.publish("a", i);
  const all = client.subscribe("a", { since: "earliest", wait: false });
  assert.deepEqual(await take(all, 9), [0, 1, 2, 3, 4]);
  const three = client.subscribe("a", { since: "earliest", limit: 3 });
  assert.deepEqual(await take(three, 9), [0, 1, 2]);
});

Deno.test("subscribe() tells of a gap", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const first = await publishId(runnel.url, { topic: "a", data: 0 });
  for (let i = 1; i < 6; i++) await client.publish("a", i);
  await send(`${runnel.url}/topics/a`, { method: "PUT", json: { maxMessages: 2 } });
  const events: StreamEvent[] = [];
  const stream = client.subscribe("a", {
    since: first,
    wait: false,
    onEvent: (event) => events.push(event),
  });
  assert.deepEqual(await take(stream, 9), [4, 5]);
  const gap = events.find(({ event }) => event === "$gap");
  assert.ok(gap?.event === "$gap");
  assert.equal(gap.topic, "a");
  assert.equal(gap.reason, "retention");
});

Deno.test("subscribe() ends with its signal", async () => {
  await using runnel = await startRunnel();
  const control = new AbortController();
  const stream = createClient(runnel).subscribe("a", { signal: control.signal });
  await until(() => stream.state.status === "live");
  control.abort();
  assert.deepEqual(await take(stream, 1), []);
});

Deno.test("subscribe() finds by the missing heartbeats that a link is dead, and says so", async () => {
  await using runnel = await startRunnel({ env: { RUNNEL_HEARTBEAT_MS: "500" } });
  await using proxy = startProxy({ port: portOf(runnel) });
  const client = createClient({ url: `http://127.0.0.1:${proxy.port}`, heartbeatMs: 500 });
  const codes: string[] = [];
  const seen: unknown[] = [];
  const stream = client.subscribe("a", {
    onMessage: ({ data }) => seen.push(data),
    onState: (state) => state.status === "waiting" && codes.push(state.error.code),
  });
  await until(() => stream.state.status === "live");
  proxy.forget();
  await publishId(runnel.url, { topic: "a", data: 1 });
  await until(() => {
    if (seen.length === 1) return true;
    throw new Error(`it waited because of ${codes}`);
  }, { timeoutMs: 30_000 });
  assert.ok(codes.includes("silent"), `${codes}`);
  stream.close();
  await stream.closed;
});

Deno.test("subscribe() outlasts a time without Redis", async () => {
  await using runnel = await startRunnel({ redis: { appendonly: false } });
  const client = createClient(runnel);
  await runnel.redis.stop();
  const codes: string[] = [];
  const seen: unknown[] = [];
  const stream = client.subscribe("a", {
    onMessage: ({ data }) => seen.push(data),
    onState: (state) => state.status === "waiting" && codes.push(state.error.code),
  });
  await until(() => codes.length > 0);
  assert.match(codes[0] ?? "", /^redis_/);
  await runnel.redis.restart();
  await until(() => stream.state.status === "live", { timeoutMs: 30_000 });
  await client.publish("a", 1);
  await until(() => seen.length === 1);
  stream.close();
  await stream.closed;
});

Deno.test("subscribe() reads no more than its reader takes, and misses nothing", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => client.publish("a", i)));
  const seen: unknown[] = [];
  for await (const { data } of client.subscribe("a", { since: "earliest", wait: false })) {
    seen.push(data);
    if (seen.length % 500 === 0) await client.call("health/live");
  }
  assert.deepEqual(seen, Array.from({ length: 3_000 }, (_, i) => i));
});

Deno.test("subscribe() goes on with a new token when the old one ends", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  let tokens = 0;
  const client = createClient({
    url: runnel.url,
    token: () => token(ALL, { endsIn: tokens++ === 0 ? 4 : 600 }),
  });
  const events: string[] = [];
  const seen: unknown[] = [];
  const stream = client.subscribe("a", {
    onEvent: (event) => events.push(event.event === "$bye" ? event.reason : event.event),
    onMessage: ({ data }) => seen.push(data),
  });
  await until(() => stream.state.status === "live");
  await client.publish("a", 1);
  await until(() => events.includes("auth_expired"), { timeoutMs: 20_000 });
  await client.publish("a", 2);
  await until(() => seen.length === 2, { timeoutMs: 20_000 });
  assert.deepEqual(seen, [1, 2]);
  stream.close();
  await stream.closed;
});
