import assert from "node:assert/strict";
import { sleep } from "../_support/until.ts";
import { whileOpen, whileTraffic } from "./load_process.ts";

const encoder = new TextEncoder();
const SUBSCRIBERS = 20;

/** A server of streams that it ends after some milliseconds, if at all, and of requests that it answers at once. */
function startServer(endAfterMs?: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.method === "POST") return new Response();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(encoder.encode(": open\n\n"));
        if (endAfterMs !== undefined) timer = setTimeout(() => controller.close(), endAfterMs);
      },
      cancel: () => clearTimeout(timer),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
}

/** Looks for longer than the server leaves its streams open. */
async function look(): Promise<string> {
  await sleep(100);
  return "seen";
}

function whileIdle(server: Deno.HttpServer<Deno.NetAddr>): Promise<string> {
  const { port } = server.addr;
  return whileOpen({ role: "idle", port, streamPath: "/", subscribers: SUBSCRIBERS }, look);
}

Deno.test("whileOpen() gives what was seen where all stayed open", async () => {
  await using server = startServer();
  assert.equal(await whileIdle(server), "seen");
});

Deno.test("whileOpen() fails where the server ends the streams meanwhile", async () => {
  await using server = startServer(50);
  await assert.rejects(whileIdle(server), /Cannot measure: the load process for idle failed/);
});

Deno.test("whileOpen() fails where a request that waits is answered", async () => {
  await using server = startServer();
  const request = { port: server.addr.port, path: "/", body: "{}", connections: 1 };
  await assert.rejects(whileOpen({ role: "hold", ...request }, look), /for hold failed/);
});

Deno.test("whileTraffic() fails where the server ends the streams, counted at once or later", async () => {
  await using server = startServer(50);
  for (const waitMs of [0, 1_000]) {
    const measuring = whileTraffic({
      role: "traffic",
      port: server.addr.port,
      bodies: [`{"topic":"bench","data":"^"}`],
      load: { rate: 10 },
      streams: [{ path: "/", count: SUBSCRIBERS }],
    }, async (count) => {
      await look();
      await sleep(waitMs);
      return await count();
    });
    await assert.rejects(measuring, /Cannot measure: the load process for traffic failed/);
  }
});
