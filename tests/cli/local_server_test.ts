import assert from "node:assert/strict";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { serve, withStrictTransport } from "../../lib/cli/local_server.ts";
import { type Certificates, makeCertificates } from "../../lib/cli/topology/certificates.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { loadConfig } from "../../lib/config.ts";
import { send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";

function byPath({ server }: Certificates): Record<string, string> {
  return { TLS_CERT: server.certPath, TLS_KEY: server.keyPath };
}

/** Runnel behind its own server, with TLS as these variables say, and a client that trusts the authority. */
async function serveTls(certificates: Certificates, variables = byPath(certificates)) {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ appendonly: false }));
  const runnel = stack.use(await openRunnel({ redisUrl: redis.url }));
  const { tls } = loadConfig((name) => variables[name]).server;
  const server = serve(runnel.fetch, { host: "127.0.0.1", port: 0, tls });
  stack.defer(() => server.close(5_000));
  const client = stack.use(Deno.createHttpClient({ caCerts: [certificates.ca.cert] }));
  const all = stack.move();
  return {
    url: server.url,
    drain: () => runnel.close(),
    fetch: (request: Request) => fetch(request, { client }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** One HTTP/2 connection, which is all that is ever opened. */
class Session implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  static async open(url: string, { ca }: Certificates): Promise<Session> {
    const session = connect(url, { ca: ca.cert });
    const connected = Promise.withResolvers<void>();
    session.once("connect", () => connected.resolve());
    session.once("error", connected.reject);
    await deadline(connected.promise, 10_000, "a connection by HTTP/2");
    return new Session(session);
  }

  get protocol(): string | undefined {
    return this.#session.alpnProtocol;
  }

  /** Begins a request; what is answered to it comes in the exchange. */
  request(headers: OutgoingHttpHeaders, body?: string): Exchange {
    const stream = this.#session.request(headers);
    if (body !== undefined) stream.end(body);
    return new Exchange(stream);
  }

  /** Publishes a text, and fails unless it was stored. */
  async publish(topic: string, text: string): Promise<void> {
    const headers = {
      ":method": "POST",
      ":path": `/publish/${topic}`,
      "content-type": "text/plain",
    };
    const exchange = this.request(headers, text);
    await exchange.ended;
    assert.equal(exchange.status, 200, exchange.text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#session.once("close", () => closed.resolve());
    this.#session.close();
    await deadline(closed.promise, 10_000, "the connection's end");
  }
}

/** One request and what came back so far. */
class Exchange {
  readonly #stream: ClientHttp2Stream;
  readonly #ended = Promise.withResolvers<void>();
  /** The body so far. */
  text = "";
  status: number | undefined;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.once("response", (headers) => this.status = headers[":status"]);
    stream.on("data", (chunk: string) => this.text += chunk);
    stream.on("error", () => {}); // whoever cancels knows
    stream.once("close", () => this.#ended.resolve());
  }

  /** Resolves at its end, be it a good or a bad one. */
  get ended(): Promise<void> {
    return deadline(this.#ended.promise, 10_000, `the end of ${this.text}`);
  }

  /** Waits until the body holds a text. */
  async holds(wanted: string): Promise<void> {
    await until(() => this.text.includes(wanted), { what: wanted });
  }

  /** Goes away. */
  async close(): Promise<void> {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    await this.ended;
  }
}

Deno.test("serve() speaks TLS with a certificate that is named by path, and with one that is given itself", async (t) => {
  await using certificates = await makeCertificates();
  const { cert, key } = certificates.server;
  const ways: [string, Record<string, string>][] = [
    ["by path", byPath(certificates)],
    ["as PEM text", { TLS_CERT: cert, TLS_KEY: key }],
    ["on one line", {
      TLS_CERT: cert.replaceAll("\n", "\\n"),
      TLS_KEY: key.replaceAll("\n", "\\n"),
    }],
  ];
  for (const [name, variables] of ways) {
    await t.step(name, async () => {
      await using server = await serveTls(certificates, variables);
      assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
      const { fetch } = server;
      const { status, body } = await send(`${server.url}/health/ready`, { fetch });
      assert.equal(status, 200, JSON.stringify(body));
    });
  }
});

Deno.test("serve() with TLS is answered by nobody who does not trust its authority", async () => {
  await using certificates = await makeCertificates();
  await using server = await serveTls(certificates);
  await assert.rejects(fetch(`${server.url}/health/live`), TypeError);
  await assert.rejects(fetch(`${server.url.replace("https", "http")}/health/live`), TypeError);
});

Deno.test("serve() streams events over HTTP/2 until the drain, $bye included", async () => {
  await using certificates = await makeCertificates();
  await using server = await serveTls(certificates);
  await using session = await Session.open(server.url, certificates);
  assert.equal(session.protocol, "h2");
  const stream = session.request({ ":path": "/subscribe/a", "accept": "text/event-stream" });
  await stream.holds("event: $ready");
  for (let i = 0; i < 20; i++) {
    await session.publish("a", `round ${i}`);
    await stream.holds(`"data":"round ${i}"`);
  }
  await server.drain();
  await stream.ended;
  assert.match(stream.text, /event: \$bye/);
});

Deno.test("serve() carries a hundred streams and their publishes over one HTTP/2 connection", async () => {
  await using certificates = await makeCertificates();
  await using server = await serveTls(certificates);
  await using session = await Session.open(server.url, certificates);
  const streams = Array.from(
    { length: 100 },
    (_, i) => session.request({ ":path": `/subscribe?topic=all&topic=own.${i}` }),
  );
  await Promise.all(streams.map((stream) => stream.holds("event: $ready")));
  await Promise.all(streams.map((_, i) => session.publish(`own.${i}`, `for ${i}`)));
  await session.publish("all", "for all");
  await Promise.all(streams.map((stream) => stream.holds('"data":"for all"')));
  for (const [i, { text }] of streams.entries()) {
    const received = [...text.matchAll(/"data":"(for [^"]*)"/g)].map(([, data]) => data);
    assert.deepEqual(received, [`for ${i}`, "for all"]);
  }
  await Promise.all(streams.map((stream) => stream.close()));
});

Deno.test("serve() over TLS gives fetch() and its event stream the same as without", async () => {
  await using certificates = await makeCertificates();
  await using server = await serveTls(certificates);
  const { fetch } = server;
  await using stream = await openStream(`${server.url}/subscribe/a`, { fetch });
  await stream.until("$ready");
  await send(`${server.url}/publish`, { fetch, json: { topic: "a", data: "x".repeat(500_000) } });
  const [message] = await stream.messages(1);
  assert.equal(String(message?.data).length, 500_000);
});

Deno.test("serve() refuses a flood of headers over HTTP/2, and goes on", async () => {
  await using certificates = await makeCertificates();
  await using server = await serveTls(certificates);
  await using session = await Session.open(server.url, certificates);
  const flood = session.request({ ":path": "/topics", "x-flood": "x".repeat(50_000) });
  await flood.ended;
  assert.deepEqual([flood.status, flood.text], [431, ""]);
  await session.publish("a", "still here");
});

Deno.test("withStrictTransport() binds browsers to TLS on a name's own port of https alone", async () => {
  const handler = withStrictTransport(() => new Response());
  const of = async (url: string) =>
    (await handler(new Request(url))).headers.get("strict-transport-security");
  assert.equal(await of("https://runnel.example/topics"), "max-age=31536000");
  for (
    const host of ["runnel.example:8443", "localhost", "localhost:8000", "127.0.0.1", "[::1]:8000"]
  ) {
    assert.equal(await of(`https://${host}/topics`), null, host);
  }
});
