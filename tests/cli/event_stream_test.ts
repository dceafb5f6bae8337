import assert from "node:assert/strict";
import { Api } from "../../lib/cli/api.ts";
import { CliError } from "../../lib/cli/cli_error.ts";
import { readEvents, type StreamEvent } from "../../lib/cli/event_stream.ts";
import { deadline } from "../_support/until.ts";
import { startFakeServer } from "./fake_server.ts";

const SSE = { headers: { "content-type": "text/event-stream" } };
const QUICK = "retry: 1\n\n";

interface Reading {
  readonly events: StreamEvent[];
  readonly breaks: string[];
}

/** Reads until the server answers 204. */
async function readAll(url: string): Promise<Reading> {
  const breaks: string[] = [];
  const events = readEvents(new Api(url), {
    query: [["topic", "t"], ["since", "earliest"]],
    resume: () => [["topic", "t"]],
    onBreak: (reason) => breaks.push(reason),
  });
  return { events: await deadline(Array.fromAsync(events), 10_000, "the stream's end"), breaks };
}

function script(...bodies: (string | Response)[]) {
  return startFakeServer((_request, number) => {
    const body = bodies[number] ?? new Response(null, { status: 204 });
    return typeof body === "string" ? new Response(body, SSE) : body;
  });
}

Deno.test("readEvents() gives typed and untyped events and skips comments", async () => {
  await using server = script(`${QUICK}: hello\n\ndata: 1\n\nevent: x\ndata: a\ndata: b\n\n`);
  const { events } = await readAll(server.url);
  assert.deepEqual(events, [{ event: undefined, data: "1" }, { event: "x", data: "a\nb" }]);
});

Deno.test("readEvents() resumes from the last id, also where it came without an event", async () => {
  await using server = script(`${QUICK}id: 5-1\ndata: 1\n\nid: 5-2\n\n`, "id: 5-3\ndata: 2\n\n");
  const { events } = await readAll(server.url);
  assert.deepEqual(events.map(({ data }) => data), ["1", "2"]);
  const ids = server.requests.map(({ headers }) => headers.get("last-event-id"));
  assert.deepEqual(ids, [null, "5-2", "5-3"]);
  const searches = server.requests.map(({ url }) => url.search);
  assert.deepEqual(searches, ["?topic=t&since=earliest", "?topic=t", "?topic=t"]);
});

Deno.test("readEvents() drops an event that was cut off, and does not take over its id", async () => {
  await using server = script(
    `${QUICK}id: 5-1\ndata: 1\n\nid: 5-22\ndata: 2`,
    "id: 5-22\ndata: 2\n\n",
  );
  const { events, breaks } = await readAll(server.url);
  assert.deepEqual(events.map(({ data }) => data), ["1", "2"]);
  assert.equal(server.requests[1]!.headers.get("last-event-id"), "5-1");
  assert.match(breaks[0]!, /cut/);
});

Deno.test("readEvents() resumes when the connection breaks in the middle of the stream", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const serving = (async () => {
    for await (const link of listener) {
      const buffer = new Uint8Array(4_096);
      const length = await link.read(buffer) ?? 0;
      requests.push(new TextDecoder().decode(buffer.subarray(0, length)));
      const number = requests.length;
      const event = `${QUICK}id: 1-${number}\ndata: ${number}\n\n`;
      const head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked";
      const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
      const text = number < 3 ? `${head}\r\n\r\n${chunk}` : "HTTP/1.1 204 No Content\r\n\r\n";
      await link.write(new TextEncoder().encode(text));
      link.close();
    }
  })();
  const { events, breaks } = await readAll(`http://127.0.0.1:${listener.addr.port}`);
  listener.close();
  await serving;
  assert.deepEqual(events.map(({ data }) => data), ["1", "2"]);
  assert.deepEqual(requests.map((text) => /last-event-id: (\S+)/i.exec(text)?.[1]), [
    undefined,
    "1-1",
    "1-2",
  ]);
  assert.equal(breaks.length, 2);
});

Deno.test("readEvents() comes back after a retryable refusal, but not after a final one", async () => {
  const refusal = (status: number, retryable: boolean) =>
    Response.json({ detail: "no", code: "x", retryable }, {
      status,
      headers: { "content-type": "application/problem+json" },
    });
  await using server = script(
    `${QUICK}data: 1\n\n`,
    refusal(503, true),
    "data: 2\n\n",
    refusal(400, false),
  );
  await assert.rejects(readAll(server.url), /The server refused \(400 x\): no/);
  assert.equal(server.requests.length, 4);
});

Deno.test("readEvents() fails at once when the first request does", async () => {
  const problem = { detail: "Redis is away", code: "redis_unavailable", retryable: true };
  await using server = script(Response.json(problem, { status: 503 }));
  await assert.rejects(readAll(server.url), CliError);
  assert.equal(server.requests.length, 1);
});

Deno.test("readEvents() ends where resume says that the stream is complete", async () => {
  await using server = script("data: 1\n\n");
  const options = { query: [], resume: () => undefined, onBreak: () => assert.fail("no break") };
  const events = await Array.fromAsync(readEvents(new Api(server.url), options));
  assert.equal(events.length, 1);
  assert.equal(server.requests.length, 1);
});

Deno.test("readEvents() stops when the signal aborts, also while it waits", async () => {
  await using server = script("retry: 60000\ndata: 1\n\n");
  const stop = new AbortController();
  const events = readEvents(new Api(server.url), {
    query: [],
    resume: () => [],
    onBreak: () => stop.abort(),
    signal: stop.signal,
  });
  await assert.rejects(deadline(Array.fromAsync(events), 10_000), { name: "AbortError" });
});
