import assert from "node:assert/strict";
import { readHistory } from "../_support/history.ts";
import { publish } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`deno task start on ${signal} finishes publishes, says $bye and exits within 5 s`, async () => {
    await using redis = await startRedis();
    await using server = await startServer({ redisUrl: redis.url });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => openStream(`${server.url}/subscribe?topic=t`)),
    );
    await using stack = new AsyncDisposableStack();
    for (const stream of streams) await stack.use(stream).until("$ready");
    const publishers = Array.from({ length: 8 }, (_, n) => publishUntilRefused(server.url, n));
    const ends = streams.map((stream) => stream.rest());
    await until(async () => (await readHistory(server.url, "t")).length > 50, { what: "messages" });
    server.signal(signal);
    const { code } = await deadline(server.status, 5_000, "the exit");
    assert.equal(code, 0);
    const accepted = (await Promise.all(publishers)).flat().sort();
    await using after = await openRunnel({ redisUrl: redis.url });
    const stored = (await readHistory(after.url, "t")).map(({ id }) => id).sort();
    const missing = accepted.filter((id) => !stored.includes(id));
    assert.deepEqual(missing, [], "a message was answered 200 and is not stored");
    const retries = new Set<number | undefined>();
    for (const events of await Promise.all(ends)) {
      const last = events.at(-1);
      assert.equal(last?.event, "$bye");
      assert.equal(JSON.parse(last?.data ?? "{}").reason, "shutdown");
      retries.add(last?.retry);
    }
    assert.ok(retries.size > 10, "retry times are not spread out");
  });
}

/** Publishes as fast as it is answered; returns the ids that were answered 200. */
async function publishUntilRefused(url: string, publisher: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0;; n++) {
    try {
      const { status, body } = await publish(url, { topic: "t", data: [publisher, n] });
      if (status !== 200) return ids;
      ids.push(String(body.id));
    } catch {
      // The server is gone; what it had answered is what counts.
      return ids;
    }
  }
}

Deno.test("an app that drains answers 503 shutting_down to new streams and publishes", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await using stream = await openStream(`${runnel.url}/subscribe?topic=t`);
  await stream.until("$ready");
  await runnel.app.drain();
  assert.equal((await stream.rest()).at(-1)?.event, "$bye");
  const response = await fetch(`${runnel.url}/subscribe?topic=t`);
  assert.deepEqual([response.status, (await response.json()).code], [503, "shutting_down"]);
  const refused = await publish(runnel.url, { topic: "t", data: 1 });
  assert.deepEqual([refused.status, refused.body.code], [503, "shutting_down"]);
});
