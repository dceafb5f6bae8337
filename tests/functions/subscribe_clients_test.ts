import assert from "node:assert/strict";
import { EventSource } from "eventsource";
import { startRunnel } from "../_support/fixture.ts";
import { publishId } from "../_support/http.ts";
import { until } from "../_support/until.ts";

Deno.test("the npm eventsource client gets messages, reconnects and misses none", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  const seen: unknown[] = [];
  const ready: string[] = [];
  const source = new EventSource(`${fixture.url}/subscribe?topic=t`);
  try {
    source.addEventListener("$ready", (event) => void ready.push(event.data));
    source.onmessage = (event) => void seen.push(JSON.parse(event.data).data);
    source.addEventListener("typed", (event) => void seen.push(JSON.parse(event.data).data));
    await until(() => ready.length === 1, { what: "the first $ready" });
    await publishId(fixture.url, { topic: "t", data: 0 });
    await publishId(fixture.url, { topic: "t", data: 1, type: "typed" });
    await until(() => source.readyState === source.CONNECTING, { what: "the stream's end" });
    for (let n = 2; n < 6; n++) await publishId(fixture.url, { topic: "t", data: n });
    await until(() => seen.length >= 6, { what: "all messages", timeoutMs: 20_000 });
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
    assert.ok(ready.length >= 2);
  } finally {
    source.close();
  }
});

Deno.test("curl -N prints messages as they come", async () => {
  await using fixture = await startRunnel();
  const child = new Deno.Command("curl", {
    args: ["-sN", `${fixture.url}/subscribe/topic1`],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readUntil = async (wanted: string) => {
    while (!text.includes(wanted)) {
      const { done, value } = await reader.read();
      if (done) assert.fail(`curl ended before ${wanted} came: ${text}`);
      text += value;
    }
  };
  await readUntil("$ready");
  const id = await publishId(fixture.url, { topic: "topic1", data: "Hello" });
  await readUntil(`id: ${id}\n`);
  await readUntil('"data":"Hello"');
  child.kill("SIGTERM");
  await child.status;
  await reader.cancel();
});
