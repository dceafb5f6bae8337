import assert from "node:assert/strict";
import { deadline } from "../_support/until.ts";
import { whileOpen, whileTraffic } from "./load_process.ts";

const SUBSCRIBERS = 20;
const text = new TextEncoder();
const STREAM = text.encode("HTTP/1.1 200 OK\r\n\r\n: open\n\n");
const ANSWER = text.encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");

/** A server, over raw sockets, of streams and of requests that it answers at once. Disposing it closes all. */
class Server implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.TcpConn[] = [];
  readonly #served: Promise<void>[] = [];
  readonly #accepting = this.#accept();

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Resolves when the other side has ended all that is open now. */
  async deserted(): Promise<void> {
    await Promise.all(this.#served);
  }

  /** Ends its own side of all that is open. */
  async end(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.closeWrite()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await this.deserted();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      // a load process that fails resets its connections
      this.#served.push(serve(connection).catch(() => {}));
    }
  }
}

/** Answers what comes on a connection until the other side ends it. */
async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  while (await connection.read(buffer) !== null) {
    await connection.write(buffer[0] === "P".charCodeAt(0) ? ANSWER : STREAM);
  }
}

function whileIdle({ port }: Server, look: () => Promise<string>): Promise<string> {
  return whileOpen({ role: "idle", port, streamPath: "/", subscribers: SUBSCRIBERS }, look);
}

Deno.test("whileOpen() gives what was seen where all stayed open", async () => {
  await using server = new Server();
  assert.equal(await whileIdle(server, () => Promise.resolve("seen")), "seen");
});

Deno.test("whileOpen() fails where the server ends the streams meanwhile", async () => {
  await using server = new Server();
  const measuring = whileIdle(server, async () => {
    await server.end();
    await server.deserted();
    return "seen";
  });
  await assert.rejects(deadline(measuring, 20_000), /Cannot measure: the load process for idle/);
});

Deno.test("whileOpen() fails where a request that waits is answered", async () => {
  await using server = new Server();
  const plan = { role: "hold", port: server.port, path: "/", body: "{}", connections: 1 } as const;
  const measuring = whileOpen(plan, () => server.deserted());
  await assert.rejects(deadline(measuring, 20_000), /for hold failed/);
});

Deno.test("whileTraffic() fails where the server ends the streams, however often it is counted", async () => {
  await using server = new Server();
  const measuring = whileTraffic({
    role: "traffic",
    port: server.port,
    bodies: [`{"topic":"bench","data":"^"}`],
    load: { rate: 10 },
    streams: [{ path: "/", count: SUBSCRIBERS }],
  }, async (count) => {
    await server.end();
    for (;;) await count();
  });
  await assert.rejects(deadline(measuring, 20_000), /the load process for traffic failed/);
});
