/** The HTTP manners over a real connection, with bytes that no HTTP client would send. */
import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { readBytes } from "../../lib/http/body.ts";
import { Gate } from "../../lib/http/gate.ts";
import { createHandler, type Route } from "../../lib/http/handler.ts";
import { jsonResponse } from "../../lib/http/json_response.ts";
import { readQuery, text } from "../../lib/http/query.ts";
import { createLogger } from "../../lib/log.ts";
import { answerTo, connectRaw, dribble } from "../_support/raw_http.ts";
import { deadline } from "../_support/until.ts";

const MAX_BYTES = 100_000;

/** A server with one route that takes a body, and waits for it so long in all. */
function serve({ patienceMs = 60_000 } = {}) {
  const arrived = Promise.withResolvers<{ reading: Promise<Uint8Array> }>();
  const upload: Route = {
    method: "POST",
    path: "upload/:topic",
    async handle({ request, params, search }) {
      const body = readBytes(request, { maxBytes: MAX_BYTES, patienceMs });
      arrived.resolve({ reading: body });
      const bytes = (await body).length;
      const { type } = readQuery({ search, headers: request.headers }, { type: text() });
      return jsonResponse({ bytes, topic: params["topic"], type });
    },
  };
  const fetch = createHandler([upload], () => ({
    log: createLogger({ level: "silent" }),
    gate: new Gate({ mode: "open", allowOpen: false, loopback: true }),
    corsOrigins: [],
  }));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fetch);
  return {
    port: server.addr.port,
    /** The reading of the first request's body, as soon as it came; in an object, because it is not to be awaited yet. */
    async nextBody(): Promise<{ reading: Promise<Uint8Array> }> {
      return await deadline(arrived.promise, 5000, "a request");
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const head = (port: number, ...lines: string[]) =>
  [`Host: localhost:${port}`, ...lines, "", ""].join("\r\n");

Deno.test("a body that says it is too large is refused before it is sent", async () => {
  await using server = serve();
  const start = "POST /upload/a HTTP/1.1\r\n" + head(server.port, "Content-Length: 100001");
  assert.match(await answerTo(server.port, start), /^HTTP\/1\.1 413 [^]*"payload_too_large"/);
});

Deno.test("a body of unknown length is refused at its limit, while its sender still means to go on", async () => {
  await using server = serve();
  const chunk = `186a1\r\n${"x".repeat(0x186a1)}\r\n`;
  const start = "POST /upload/a HTTP/1.1\r\n" + head(server.port, "Transfer-Encoding: chunked");
  assert.match(await answerTo(server.port, start + chunk), /^HTTP\/1\.1 413 /);
});

for (const length of [1000, 90_000]) {
  Deno.test(`a client that vanishes in an upload of ${length} bytes ends its reading as client_closed`, async () => {
    await using server = serve();
    const start = "POST /upload/a HTTP/1.1\r\n" + head(server.port, `Content-Length: ${length}`);
    const connection = await connectRaw(server.port, `${start}half`);
    const { reading } = await server.nextBody();
    connection.close();
    await assert.rejects(
      deadline(reading, 5000, "the end of the body"),
      (error: unknown) => error instanceof RunnelError && error.code === "client_closed",
    );
  });
}

for (
  const [size, length] of [
    ["a small upload", "Content-Length: 1000"],
    ["a large upload", "Content-Length: 90000"],
    ["an upload of unknown length", "Transfer-Encoding: chunked"],
  ] as const
) {
  Deno.test(`${size} that comes a byte at a time, and never stalls, is ended as upload_timeout`, async () => {
    await using server = serve({ patienceMs: 200 });
    const start = "POST /upload/a HTTP/1.1\r\n" + head(server.port, length);
    const byte = length.startsWith("Content") ? "x" : "1\r\nx\r\n";
    const answer = await dribble(server.port, start, { byte, everyMs: 5 });
    assert.match(answer, /^HTTP\/1\.1 408 [^]*"upload_timeout"/);
  });
}

Deno.test("a Host that a website forged is refused over the wire", async () => {
  await using server = serve();
  for (const host of ["evil.example", "evil@localhost", `localhost.evil.example:${server.port}`]) {
    const text = `POST /upload/a HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
    assert.match(await answerTo(server.port, text), /^HTTP\/1\.1 403 [^]*"host_not_allowed"/, host);
  }
});

Deno.test("a topic in raw UTF-8 and a header in raw UTF-8 arrive as they were meant", async () => {
  await using server = serve();
  const lines = head(server.port, "Content-Length: 2", "X-Runnel-Type: größer");
  const answer = await answerTo(server.port, `POST /upload/hé😀 HTTP/1.1\r\n${lines}hi`);
  assert.match(answer, /{"bytes":2,"topic":"hé😀","type":"größer"}/);
});

Deno.test("dots in a path are a topic's own, and lead nowhere else", async () => {
  await using server = serve();
  const text = `POST /upload/.. HTTP/1.1\r\n${head(server.port, "Content-Length: 0")}`;
  assert.match(await answerTo(server.port, text), /"topic":"\.\."/);
});

Deno.test("HEAD is answered without a body over the wire", async () => {
  await using server = serve();
  const text = `HEAD /upload/a HTTP/1.1\r\n${head(server.port)}`;
  const answer = await answerTo(server.port, text);
  assert.match(answer, /^HTTP\/1\.1 405 /);
  assert(answer.endsWith("\r\n\r\n"));
});
