import assert from "node:assert/strict";
import { Api } from "../../lib/cli/api.ts";
import { type BatchResult, uploadBatch } from "../../lib/cli/batch_upload.ts";
import { CliError } from "../../lib/cli/cli_error.ts";
import { LineSplitter } from "../../lib/codec/ndjson.ts";
import { deadline } from "../_support/until.ts";
import { startFakeServer } from "./fake_server.ts";

/** Answers each line as it comes: `{"bad":…}` is refused. `lines` ends early where it is set. */
function answering(request: Request, stopAfter = Infinity): Response {
  let accepted = 0;
  let rejected = 0;
  const answers = async function* () {
    for await (const line of linesOf(request.body!)) {
      const bad = line.includes("bad");
      if (bad) rejected++;
      else accepted++;
      yield bad
        ? { error: { code: "invalid_request", detail: "It is bad" } }
        : { id: `1-${accepted}` };
      if (accepted + rejected === stopAfter) return;
    }
    yield { accepted, rejected };
  };
  const lines = ReadableStream.from(answers()).pipeThrough(
    new TransformStream<unknown, Uint8Array>({
      transform: (answer, controller) =>
        controller.enqueue(new TextEncoder().encode(JSON.stringify(answer) + "\n")),
    }),
  );
  return new Response(lines, { headers: { "content-type": "application/x-ndjson" } });
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const splitter = new LineSplitter({ maxBytes: 10_000 });
  for await (const chunk of body) {
    for (const { bytes } of splitter.push(chunk)) yield new TextDecoder().decode(bytes);
  }
  for (const { bytes } of splitter.end()) yield new TextDecoder().decode(bytes);
}

function streamOf(text: string, size = 7): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  const chunks = Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, index) => bytes.slice(index * size, (index + 1) * size),
  );
  return ReadableStream.from(chunks);
}

async function upload(url: string, input: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const results: BatchResult[] = [];
  const totals = await uploadBatch(new Api(url), input, {
    encode: (line) => new TextDecoder().decode(line),
    onResult: (result) => results.push(result),
  });
  return { totals, results };
}

Deno.test("uploadBatch() names each result by its line of the input, blank lines counted", async () => {
  await using server = startFakeServer((request) => answering(request));
  const text = '{"a":1}\n\n{"bad":1}\r\n{"a":2}\n   \n{"bad":2}';
  const { totals, results } = await upload(server.url, streamOf(text));
  assert.deepEqual(totals, { accepted: 2, rejected: 2 });
  const refused = results.filter(({ error }) => error).map(({ line }) => line);
  assert.deepEqual([results.map(({ line }) => line), refused], [[1, 3, 4, 6], [3, 6]]);
  assert.equal(results.at(-1)!.bytes, text.length);
  assert.ok(results[0]!.bytes >= 7 && results[0]!.bytes <= 14);
});

Deno.test("uploadBatch() hears answers while it is still uploading", async () => {
  await using server = startFakeServer((request) => answering(request));
  const heard = Promise.withResolvers<void>();
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{}\n")),
    async pull(controller) {
      await heard.promise;
      controller.close();
    },
  });
  const totals = await deadline(
    uploadBatch(new Api(server.url), input, {
      encode: (line) => new TextDecoder().decode(line),
      onResult: () => heard.resolve(),
    }),
    10_000,
    "an answer before the end of the upload",
  );
  assert.deepEqual(totals, { accepted: 1, rejected: 0 });
});

Deno.test("uploadBatch() says what is not known when the answers break off", async () => {
  await using server = startFakeServer((request) => answering(request, 2));
  await assert.rejects(upload(server.url, streamOf("{}\n{}\n{}\n")), (error: unknown) => {
    assert.ok(error instanceof CliError);
    assert.match(error.message, /broke off after 2 answers/);
    assert.match(error.advice.join(), /--idempotency-prefix/);
    return true;
  });
});

Deno.test("uploadBatch() fails with the server's words when it refuses the upload", async () => {
  await using server = startFakeServer(async (request) => {
    await request.body?.cancel();
    return Response.json({ detail: "Not today", code: "overloaded" }, { status: 503 });
  });
  await assert.rejects(upload(server.url, streamOf("{}\n")), /503 overloaded\): Not today/);
});

Deno.test("uploadBatch() takes an empty input", async () => {
  await using server = startFakeServer((request) => answering(request));
  const { totals, results } = await upload(server.url, streamOf("\n\n"));
  assert.deepEqual([totals, results], [{ accepted: 0, rejected: 0 }, []]);
});
