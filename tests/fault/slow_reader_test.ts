import assert from "node:assert/strict";
import { ByteStream } from "../../lib/http/byte_stream.ts";
import { readHistory } from "../_support/history.ts";
import { send } from "../_support/http.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { type ServerProcess, startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { SseParser } from "../_support/sse_parser.ts";
import { until } from "../_support/until.ts";
import { assemble } from "./parts.ts";

const KILOBYTE = "x".repeat(1_024);
const MEGABYTE = 1 << 20;

async function publishMegabytes(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const messages = Array.from({ length: 64 }, () => ({ topic: "a", data: KILOBYTE.repeat(15) }));
    const { status, body } = await send(`${url}/batch`, { json: messages });
    assert.equal(status, 200, JSON.stringify(body));
  }
}

async function residentMegabytes(server: ServerProcess): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

Deno.test("subscribe() holds little for clients that stop reading, and gives them everything once when they go on", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using server = await startServer({
    redisUrl: redis.url,
    file: "functions/main.ts",
    env: { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
  });
  const { url } = server;
  await using stack = new AsyncDisposableStack();
  const open = async () => stack.use(await openStream(`${url}/subscribe?topic=a`));
  // what any load costs comes first, so that the rest is what waiting clients cost
  await publishMegabytes(url, 12);
  const slow = await Promise.all(Array.from({ length: 16 }, open));
  for (const stream of slow) await stream.until("$ready");
  const before = await residentMegabytes(server);
  await publishMegabytes(url, 20);
  const held = await residentMegabytes(server) - before;
  assert.ok(
    held < 20 * 16 / 2,
    `${held} MB are held for ${slow.length} clients, which is ${20 * 16} unread`,
  );
  const history = await readHistory(url, "a");
  const expected = history.slice(12 * 64).map(({ id }) => id);
  for (const stream of slow.slice(0, 2)) {
    const messages = await stream.messages(expected.length);
    assert.deepEqual(messages.map(({ id }) => id), expected);
  }
  // one more, which all that were behind have come up to
  await publishMegabytes(url, 1);
  const next = await slow[0]?.messages(64);
  assert.equal(next?.length, 64);
  const blocks = slow[0]?.blocks ?? [];
  assert.deepEqual(blocks.filter(({ event }) => event === "$gap"), []);
});

/** A client's connection that never says how much it has not taken: the bound turned off. */
class BoundlessStream extends ByteStream {
  override get backlog(): number {
    return 0;
  }

  get held(): number {
    return super.backlog;
  }
}

class BoundedStream extends ByteStream {
  get held(): number {
    return this.backlog;
  }
}

async function stopReading(stream: BoundedStream | BoundlessStream) {
  await using redis = await startRedis({ appendonly: false });
  await using parts = assemble({ redisUrl: redis.url });
  const subscription = await parts.open(["a"]);
  const running = subscription.run(stream);
  await until(() => subscription.state === "live");
  let held = 0;
  const published: string[] = [];
  for (let i = 0; i < 80; i++) {
    published.push(...await parts.publish({ topic: "a", n: `${i} ${KILOBYTE.repeat(100)}` }));
    held = Math.max(held, stream.held);
  }
  const seen: string[] = [];
  const parser = new SseParser();
  const reader = stream.readable.getReader();
  while (seen.length < published.length) {
    const { value, done } = await reader.read();
    if (done) break;
    for (const { event, id } of parser.push(value)) if (event === "message") seen.push(id);
    held = Math.max(held, stream.held);
  }
  await reader.cancel();
  await running;
  assert.deepEqual(seen, published);
  return held;
}

Deno.test("Subscription holds less than two megabytes for a client that does not read, and then gives all", async () => {
  const held = await stopReading(new BoundedStream());
  assert.ok(held < 2 * MEGABYTE, `${held} bytes`);
});

Deno.test("twin: a subscription that does not look at what waits holds everything", async () => {
  const held = await stopReading(new BoundlessStream());
  assert.ok(held > 4 * MEGABYTE, `${held} bytes`);
});
