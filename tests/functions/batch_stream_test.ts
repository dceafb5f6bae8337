import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, send } from "../_support/http.ts";
import { ndjsonLines, readNdjson } from "../_support/ndjson.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { deadline, until } from "../_support/until.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

function post(url: string, body: BodyInit, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/batch`, {
    method: "POST",
    headers: NDJSON,
    body,
    ...(signal === undefined ? {} : { signal }),
  });
}

Deno.test("POST /batch answers an NDJSON body with a result a line and the totals last", async () => {
  await using fixture = await startRunnel();
  const lines = Array.from({ length: 1_200 }, (_, n) => JSON.stringify({ topic: "t", data: n }));
  const response = await post(fixture.url, lines.join("\n"));
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^application\/x-ndjson/);
  const results = await readNdjson(response);
  assert.deepEqual(results.pop(), { accepted: 1_200, rejected: 0 });
  const stored = await readHistory(fixture.url, "t");
  assert.deepEqual(stored.map(({ data }) => data), [...Array(1_200).keys()]);
  assert.deepEqual(results.map(({ id }) => id), stored.map(({ id }) => id));
});

Deno.test("POST /batch fails a broken NDJSON line alone and keeps the others' order", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "2048" } });
  const body = [
    '{"topic":"t","data":1}',
    "{broken",
    '{"topic":"t","data":2}\r',
    '{"topic":"no good","data":0}',
    "",
    `{"topic":"t","data":"${"x".repeat(4_096)}"}`,
    '{"topic":"t","data":3}',
    '{"topic":"t","data":"caf\u00e9"}',
  ].join("\n");
  const response = await post(fixture.url, body);
  assert.equal(response.status, 200);
  const results = await readNdjson(response);
  assert.deepEqual(results.pop(), { accepted: 4, rejected: 3 });
  const codes = results.map((result) => (result.error as { code: string } | undefined)?.code);
  assert.deepEqual(codes.map((code) => code !== undefined), [
    false,
    true,
    false,
    true,
    true,
    false,
    false,
  ]);
  assert.equal(codes[1], "invalid_json");
  assert.equal(codes[4], "payload_too_large");
  const stored = await readHistory(fixture.url, "t");
  assert.deepEqual(stored.map(({ data }) => data), [1, 2, 3, "café"]);
});

Deno.test("POST /batch fails a line that is not UTF-8 alone", async () => {
  await using fixture = await startRunnel();
  const encoder = new TextEncoder();
  const body = new Blob([
    encoder.encode('{"topic":"t","data":1}\n{"topic":"t","data":"'),
    Uint8Array.of(0xff, 0xfe),
    encoder.encode('"}\n{"topic":"t","data":2}\n'),
  ]);
  const results = await readNdjson(await post(fixture.url, body));
  assert.deepEqual(results.at(-1), { accepted: 2, rejected: 1 });
});

Deno.test("POST /batch answers while the upload goes on", async () => {
  await using fixture = await startRunnel();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const write = (n: number) =>
    deadline(
      writer.write(new TextEncoder().encode(`{"topic":"t","data":${n}}\n`)),
      5_000,
      "the upload to be read",
    );
  // Headers may come with the first result, so the upload begins before they are awaited.
  const sending = post(fixture.url, readable);
  await write(1);
  const response = await deadline(sending, 5_000, "the answer's headers during the upload");
  const lines = ndjsonLines(response, { timeoutMs: 5_000 });
  for (let n = 1; n <= 3; n++) {
    const { value } = await lines.next();
    assert.equal(typeof value?.id, "string", JSON.stringify(value));
    if (n < 3) await write(n + 1);
  }
  await deadline(writer.close(), 5_000, "the end of the upload to be read");
  assert.deepEqual((await lines.next()).value, { accepted: 3, rejected: 0 });
  assert.equal((await lines.next()).done, true);
});

Deno.test("POST /batch keeps what a vanished client sent and stays healthy", async () => {
  await using fixture = await startRunnel();
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(fixture.url).port),
  });
  const head = `POST /batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n` +
    "content-length: 100000\r\n\r\n";
  const lines = '{"topic":"t","data":1}\n{"topic":"t","data":2}\n{"topic":"t","da';
  await connection.write(new TextEncoder().encode(head + lines));
  await until(async () => (await readHistory(fixture.url, "t")).length === 2, {
    what: "the whole lines to be stored",
  });
  connection.close();
  const results = await readNdjson(await post(fixture.url, '{"topic":"t","data":3}'));
  assert.deepEqual(results.at(-1), { accepted: 1, rejected: 0 });
  const stored = await readHistory(fixture.url, "t");
  assert.deepEqual(stored.map(({ data }) => data), [1, 2, 3]);
});

Deno.test("POST /batch answers an NDJSON body without any line", async () => {
  await using fixture = await startRunnel();
  for (const body of ["", "\n\r\n\n"]) {
    assert.deepEqual(await readNdjson(await post(fixture.url, body)), [
      { accepted: 0, rejected: 0 },
    ]);
  }
});

Deno.test("POST /batch refuses other content types", async () => {
  await using fixture = await startRunnel();
  const answer = await send(`${fixture.url}/batch`, {
    body: "x",
    headers: { "content-type": "text/csv" },
  });
  assertProblem(answer, { status: 415, code: "unsupported_media_type" });
});

// The client keeps a bounded part of the upload unanswered, as it can because answers come meanwhile. One that does not
// fills the runtime's own buffer: Deno 2.8.3 to 2.9.6 read ahead without bound once an answer has begun (denoland/deno
// pull request 36869).
Deno.test("POST /batch takes 200 MB of NDJSON in bounded memory", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using server = await startServer({
    redisUrl: redis.url,
    env: { RUNNEL_MAX_MESSAGES: "1000" },
  });
  const line = JSON.stringify({ topic: "big", data: "x".repeat(4_000) }) + "\n";
  const chunk = new TextEncoder().encode(line.repeat(64));
  const upload = new PacedUpload(chunk, { chunks: Math.ceil(200_000_000 / chunk.length) });
  const before = await residentMiB(server.pid);
  let highest = before;
  let last: Record<string, unknown> = {};
  const response = await post(server.url, upload.readable);
  for await (const result of ndjsonLines(response, { timeoutMs: 60_000 })) {
    last = result;
    upload.answered(line.length);
    if (upload.answers % 2_000 === 0) highest = Math.max(highest, await residentMiB(server.pid));
  }
  assert.deepEqual(last, { accepted: upload.chunks * 64, rejected: 0 });
  assert.ok(highest - before < 150, `grew from ${before} to ${highest} MiB`);
});

/** The same chunk again and again, at most 8 MB ahead of the answers. */
class PacedUpload {
  readonly readable: ReadableStream<Uint8Array>;
  readonly chunks: number;
  answers = 0;
  #sent = 0;
  #ahead = 0;
  #mayGoOn = Promise.withResolvers<void>();

  constructor(chunk: Uint8Array, { chunks }: { chunks: number }) {
    this.chunks = chunks;
    this.readable = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (this.#sent++ === chunks) return controller.close();
        this.#ahead += chunk.length;
        controller.enqueue(chunk);
        while (this.#ahead > 8_000_000) await this.#mayGoOn.promise;
      },
    }, { highWaterMark: 0 });
  }

  answered(bytes: number): void {
    this.answers++;
    this.#ahead -= bytes;
    this.#mayGoOn.resolve();
    this.#mayGoOn = Promise.withResolvers();
  }
}

async function residentMiB(pid: number): Promise<number> {
  // Slim images have no ps.
  if (Deno.build.os === "linux") {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", `${pid}`] })
    .output();
  return Math.round(Number(new TextDecoder().decode(stdout)) / 1024);
}
