import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { z } from "zod";
import { type ErrorCode, RunnelError } from "../../lib/errors.ts";
import { readBytes, readChunks, readJson } from "../../lib/http/body.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const hasCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof RunnelError && error.code === code;

function post(body: BodyInit | null, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/publish", { method: "POST", body, headers });
}

/** A body that never ends by itself, and what became of it. */
function endless(chunk?: Uint8Array) {
  const seen = { pulls: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.pulls++;
      if (chunk !== undefined) controller.enqueue(chunk.slice());
      else return new Promise(() => {}); // The client says nothing more.
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { stream, seen };
}

Deno.test("readBytes() reads the whole body, announced or not", async () => {
  const parts = ["a", "", "bc"].map(encode);
  assert.deepEqual(
    await readBytes(post(ReadableStream.from(parts)), { maxBytes: 3 }),
    encode("abc"),
  );
  const announced = post("abc", { "content-length": "3" });
  assert.deepEqual(await readBytes(announced, { maxBytes: 3 }), encode("abc"));
});

Deno.test("readBytes() gives no bytes where there is no body", async () => {
  assert.equal((await readBytes(post(null), { maxBytes: 3 })).length, 0);
  assert.equal((await readBytes(post(""), { maxBytes: 3 })).length, 0);
});

Deno.test("readBytes() refuses a body that says it is too large without reading a byte", async () => {
  const { stream, seen } = endless(encode("x"));
  const request = post(stream, { "content-length": "11" });
  await assert.rejects(readBytes(request, { maxBytes: 10 }), hasCode("payload_too_large"));
  assert.deepEqual(seen, { pulls: 0, cancelled: true });
});

Deno.test("readBytes() stops reading at the chunk that makes the body too large", async () => {
  const { stream, seen } = endless(encode("xxxx"));
  await assert.rejects(readBytes(post(stream), { maxBytes: 10 }), hasCode("payload_too_large"));
  assert.deepEqual(seen, { pulls: 3, cancelled: true });
});

Deno.test("readBytes() refuses a body that is larger than it said", async () => {
  const request = post("x".repeat(11), { "content-length": "5" });
  await assert.rejects(readBytes(request, { maxBytes: 10 }), hasCode("payload_too_large"));
});

Deno.test("readBytes() refuses a compressed body, which would be taken for the payload", async () => {
  const request = post("x", { "content-encoding": "gzip" });
  await assert.rejects(readBytes(request, { maxBytes: 9 }), hasCode("unsupported_media_type"));
  const plain = post("x", { "content-encoding": "identity" });
  assert.equal((await readBytes(plain, { maxBytes: 9 })).length, 1);
});

Deno.test("readBytes() says that the client went away when the body breaks", async () => {
  const broken = ReadableStream.from((function* () {
    yield encode("half of it");
    throw new TypeError("connection reset");
  })());
  await assert.rejects(readBytes(post(broken), { maxBytes: 99 }), hasCode("client_closed"));
});

Deno.test("readBytes() gives up on a client that stalls, and reads no further", async () => {
  const { stream, seen } = endless();
  const options = { maxBytes: 10, stallMs: 1 };
  await assert.rejects(readBytes(post(stream), options), hasCode("upload_timeout"));
  assert(seen.cancelled);
});

/** A body that a test sends bit by bit, with a clock that moves only as told. */
function slowly() {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (feed = controller),
    cancel: () => void (feed = undefined),
  });
  return {
    stream,
    /** Lets some time pass and then sends something. */
    async send(text: string, { afterMs }: { afterMs: number }) {
      await clock.tickAsync(afterMs);
      feed?.enqueue(encode(text));
      await clock.tickAsync(0);
    },
    end: () => feed?.close(),
    [Symbol.dispose]: () => clock.uninstall(),
  };
}

Deno.test("readBytes() gives up on a client that dribbles: a minute, and a second for each 1000 bytes", async () => {
  using body = slowly();
  const reading = readBytes(post(body.stream), { maxBytes: 100_000 });
  const failed = assert.rejects(reading, hasCode("upload_timeout"));
  await body.send("x".repeat(10_000), { afterMs: 29_000 });
  let state = "reading";
  reading.catch(() => state = "over");
  for (let seconds = 29; seconds < 69; seconds++) await body.send("x", { afterMs: 1_000 });
  assert.equal(state, "reading");
  for (let seconds = 69; seconds < 72; seconds++) await body.send("x", { afterMs: 1_000 });
  assert.equal(state, "over");
  await failed;
});

Deno.test("readBytes() has time for a large body that comes slowly but steadily", async () => {
  using body = slowly();
  const reading = readBytes(post(body.stream), { maxBytes: 1_000_000 });
  for (let i = 0; i < 100; i++) await body.send("x".repeat(10_000), { afterMs: 9_900 });
  body.end();
  assert.equal((await reading).length, 1_000_000);
});

Deno.test("readBytes() gives a small body of a known length a minute in all", async () => {
  using body = slowly();
  const reading = readBytes(post(body.stream, { "content-length": "1000" }), { maxBytes: 1_000 });
  const failed = assert.rejects(reading, hasCode("upload_timeout"));
  for (let seconds = 0; seconds < 61; seconds++) await body.send("x", { afterMs: 1_000 });
  await failed;
});

Deno.test("readChunks() counts anew after a chunk that is a success by itself", async () => {
  using body = slowly();
  const isProgress = (chunk: Uint8Array) => chunk.includes(10);
  const chunks: number[] = [];
  const reading = (async () => {
    for await (const { length } of readChunks(post(body.stream), { isProgress })) {
      chunks.push(length);
    }
  })();
  const failed = assert.rejects(reading, hasCode("upload_timeout"));
  for (let i = 0; i < 100; i++) await body.send("x\n", { afterMs: 25_000 });
  assert.equal(chunks.length, 100);
  for (let i = 0; i < 3; i++) await body.send("x", { afterMs: 25_000 });
  await failed;
  assert.equal(chunks.length, 102);
});

Deno.test("readBytes() gives up when its signal aborts, before or while it reads", async () => {
  const early = endless();
  const aborted = { maxBytes: 10, signal: AbortSignal.abort() };
  await assert.rejects(readBytes(post(early.stream), aborted), hasCode("client_closed"));
  const late = endless();
  const controller = new AbortController();
  const reading = readBytes(post(late.stream), { maxBytes: 10, signal: controller.signal });
  controller.abort();
  await assert.rejects(reading, hasCode("client_closed"));
  assert(early.seen.cancelled && late.seen.cancelled);
});

Deno.test("readChunks() gives chunks as they come and cancels the rest when its reader stops", async () => {
  const { stream, seen } = endless(encode("x"));
  let chunks = 0;
  for await (const chunk of readChunks(post(stream))) {
    assert.deepEqual(chunk, encode("x"));
    if (++chunks === 3) break;
  }
  assert.deepEqual(seen, { pulls: 3, cancelled: true });
});

Deno.test("readChunks() reads ahead of nobody", async () => {
  const { stream, seen } = endless(encode("x"));
  const chunks = readChunks(post(stream));
  await chunks.next();
  assert.equal(seen.pulls, 1);
  await chunks.return();
});

const SCHEMA = z.strictObject({ topic: z.string() });

Deno.test("readJson() reads JSON of a known shape under any JSON content type", async () => {
  for (
    const type of ["application/json", "APPLICATION/JSON; charset=utf-8", "application/a+json"]
  ) {
    const request = post('{"topic":"é"}', { "content-type": type });
    assert.deepEqual(await readJson(request, { maxBytes: 99, schema: SCHEMA }), { topic: "é" });
  }
});

Deno.test("readJson() refuses other content types before it reads", async () => {
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/x-ndjson",
      "json",
    ]
  ) {
    const { stream, seen } = endless(encode("x"));
    const reading = readJson(post(stream, { "content-type": type }), {
      maxBytes: 9,
      schema: SCHEMA,
    });
    await assert.rejects(reading, hasCode("unsupported_media_type"), type);
    assert.equal(seen.pulls, 0);
  }
  const none = post(new Blob(["{}"]));
  await assert.rejects(
    readJson(none, { maxBytes: 9, schema: SCHEMA }),
    hasCode("unsupported_media_type"),
  );
});

Deno.test("readJson() tells a compressed body from broken JSON", async () => {
  const body = Uint8Array.of(0x1f, 0x8b, 8, 0);
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const reading = readJson(post(body, headers), { maxBytes: 99, schema: SCHEMA });
  await assert.rejects(reading, hasCode("unsupported_media_type"));
});

Deno.test("readJson() tells broken JSON, broken UTF-8 and the wrong shape apart", async () => {
  const read = (body: BodyInit) =>
    readJson(post(body, { "content-type": "application/json" }), { maxBytes: 99, schema: SCHEMA });
  await assert.rejects(read("{"), hasCode("invalid_json"));
  await assert.rejects(read(""), hasCode("invalid_json"));
  await assert.rejects(read(Uint8Array.of(0x22, 0xff, 0x22)), hasCode("invalid_json"));
  await assert.rejects(read('{"topic":1}'), (error: unknown) => {
    assert(error instanceof RunnelError && error.code === "invalid_request");
    assert.equal(error.errors[0]?.pointer, "#/topic");
    return true;
  });
});
