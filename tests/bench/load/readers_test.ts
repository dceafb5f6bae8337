import assert from "node:assert/strict";
import { deadline, until } from "../../_support/until.ts";
import { holdRequests } from "./hold.ts";
import { writeAll } from "./http_socket.ts";
import { Readers } from "./readers.ts";
import { openSocketIo } from "./socket_io.ts";
import { openStreams } from "./streams.ts";
import { ReadingTurns } from "./turns.ts";

const encoder = new TextEncoder();
const OPEN = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n: open\n\n\r\n";
const MOST_MS = 5_000;

/** A server on a port of its own that leaves what it does with the n-th connection to the test. */
class FakeServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.TcpConn[] = [];
  readonly #running: Promise<void>;

  constructor(serve: (connection: Deno.TcpConn, n: number) => Promise<void>) {
    this.#running = this.#accept(serve);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(serve: (connection: Deno.TcpConn, n: number) => Promise<void>): Promise<void> {
    for await (const connection of this.#listener) {
      await receive(connection);
      await serve(connection, this.#connections.push(connection) - 1);
    }
  }

  /** Sends the text on the first so many connections. */
  async send(count: number, text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (const connection of await this.#first(count)) await writeAll(connection, bytes);
  }

  /** Ends the first so many connections. */
  async end(count: number): Promise<void> {
    for (const connection of await this.#first(count)) await connection.closeWrite();
  }

  async #first(count: number): Promise<Deno.TcpConn[]> {
    await until(() => this.#connections.length >= count, { what: `${count} connections` });
    return this.#connections.slice(0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#running;
    for (const connection of this.#connections) connection.close();
  }
}

async function receive(connection: Deno.TcpConn): Promise<void> {
  await connection.read(new Uint8Array(4096));
}

const streamServer = () =>
  new FakeServer((connection) => writeAll(connection, encoder.encode(OPEN)));

/** What a measurement that goes on for ever ends with. */
async function failureOf(readers: Readers): Promise<string> {
  const end = readers.during(new Promise(() => {}));
  const error = await deadline(end.catch((error) => error), MOST_MS, "the failure");
  return String(error);
}

const end = (server: FakeServer) => server.end(2);
const sendLastChunk = (server: FakeServer) => server.send(2, "0\r\n\r\n");
const CUTS = [
  { how: "connections that end", cut: end, options: {} },
  { how: "connections that end, read in turns", cut: end, options: { inTurns: true } },
  { how: "connections that end, read slowly", cut: end, options: { slow: true } },
  { how: "bodies that end", cut: sendLastChunk, options: {} },
  { how: "bodies that end, read in turns", cut: sendLastChunk, options: { inTurns: true } },
];

for (const { how, cut, options: { inTurns, ...options } } of CUTS) {
  Deno.test(`Readers fail a measurement and count who was cut off: ${how}`, async () => {
    await using server = streamServer();
    await using readers = new Readers();
    const turns = inTurns ? { turns: new ReadingTurns() } : {};
    await openStreams(readers, server.port, { path: "/", count: 3, ...options, ...turns });
    await cut(server);
    assert.match(await failureOf(readers), /Cannot measure: 2 of 3 readers were cut off/);
  });
}

Deno.test("Readers fail a measurement that is over as soon as the first was cut off", async () => {
  await using server = streamServer();
  await using readers = new Readers();
  const seen = Promise.withResolvers<void>();
  const onBytes = () => seen.resolve();
  await openStreams(readers, server.port, { path: "/", count: 1, onBytes });
  await server.send(1, "0\r\n\r\n");
  await seen.promise;
  await assert.rejects(readers.during(Promise.resolve()), /1 of 1 readers were cut off/);
});

Deno.test("Readers fail a measurement with what sees the bytes, and none that nothing happens to", async () => {
  await using server = streamServer();
  await using readers = new Readers();
  const onBytes = (bytes: Uint8Array, n: number) => {
    throw new RangeError(`Cannot take ${bytes.length} bytes of ${n}`);
  };
  await openStreams(readers, server.port, { path: "/", count: 1, onBytes });
  assert.equal(await readers.during(Promise.resolve("fine")), "fine");
  await server.send(1, "12");
  assert.match(await failureOf(readers), /RangeError: Cannot take 2 bytes of 0/);
});

Deno.test("openStreams() refuses a stream that ends with its first block", async () => {
  const whole = encoder.encode(`${OPEN}0\r\n\r\n`);
  await using server = new FakeServer((connection) => writeAll(connection, whole));
  await using readers = new Readers();
  await assert.rejects(
    openStreams(readers, server.port, { path: "/", count: 1 }),
    /Cannot open a stream/,
  );
});

Deno.test("openSocketIo() fails a measurement where the server says goodbye", async () => {
  await using server = new FakeServer(async (connection) => {
    await writeAll(connection, encoder.encode("HTTP/1.1 101 Switching Protocols\r\n\r\n0{}"));
    await receive(connection);
    await writeAll(connection, encoder.encode("~~40{}"));
  });
  await using readers = new Readers();
  await openSocketIo(readers, server.port, { path: "/", count: 1, onMessages: () => {} });
  // any frame but a text is as good as one that closes
  await server.send(1, "\x08\x02");
  assert.match(await failureOf(readers), /Cannot read a frame that begins with 8 2/);
});

Deno.test("holdRequests() fails a measurement where a request is answered", async () => {
  await using server = new FakeServer(() => Promise.resolve());
  await using readers = new Readers();
  await holdRequests(readers, server.port, { path: "/", body: "{}", connections: 1 });
  await server.send(1, "HTTP/1.1 503");
  assert.match(await failureOf(readers), /a request that waits was answered: HTTP\/1\.1 503/);
});
