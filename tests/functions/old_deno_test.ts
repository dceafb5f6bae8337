import assert from "node:assert/strict";
import { send } from "../_support/http.ts";
import { denoBinary, hasOldDeno } from "../_support/old_deno.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { readPrometheus, valueOf } from "../_support/prometheus.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";

for (const version of ["2.1.14", "2.5.7"]) {
  const options = { ignore: !hasOldDeno };
  Deno.test(`the functions serve, publish and stream under Deno ${version}`, options, async () => {
    await using redis = await startRedis();
    await using server = await startServer({
      redisUrl: redis.url,
      deno: await denoBinary(version),
      denoArgs: ["--no-prompt", "--allow-net", "--allow-env", "--no-lock"],
      file: "functions/main.ts",
      env: { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
      timeoutMs: 60_000,
    });
    const stream = await openStream(`${server.url}/subscribe?topic=a&topic=b.*`);
    await stream.until(({ event }) => event === "$ready");
    const single = await send(`${server.url}/publish/a`, { method: "POST", body: "Hello" });
    assert.equal(single.status, 200, JSON.stringify(single.body));
    const batch = await send(`${server.url}/batch`, {
      json: [{ topic: "b.c", data: 1 }, { topic: "b.c", data: 2 }],
    });
    assert.equal(batch.status, 200, JSON.stringify(batch.body));
    const events = await stream.take(3);
    assert.deepEqual(events.map(({ data }) => JSON.parse(data ?? "").data), ["Hello", 1, 2]);
    await stream.close();
    const metrics = await fetch(`${server.url}/metrics`);
    const page = readPrometheus(await metrics.text());
    assert.equal(valueOf(page, "runnel_delivered_messages_total"), 3);
    assert.ok(valueOf(page, "runnel_memory_bytes", { kind: "heap_used" }) > 0);
  });
}
