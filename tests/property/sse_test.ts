import assert from "node:assert/strict";
import fc from "fast-check";
import { messageBody, messageJson, typeProblem } from "../../lib/codec/message.ts";
import { type SseEvent, sseEvent, sseMessage } from "../../lib/codec/sse.ts";
import { ServerSentEventParseStream } from "../../lib/http/std.ts";
import { SseParser } from "../_support/sse_parser.ts";

const anyText = fc.string({
  unit: fc.constantFrom("a", ":", " ", "\n", "\r", "é", "😀", "\0", "data"),
});
const lineText = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n\0]/g, "_"));
const json = fc.jsonValue();

const event: fc.Arbitrary<SseEvent> = fc.record({
  event: lineText,
  data: anyText,
  id: lineText,
  retry: fc.nat(),
  comment: anyText,
}, { requiredKeys: [] });

/** Any bytes as they may arrive: cut into chunks anywhere. */
function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length));
}

const newlines = (text: string) => text.replace(/\r\n|\r/g, "\n");

Deno.test("sseEvent() is read back by a browser's rules as what was written, cut anywhere", () => {
  fc.assert(fc.property(fc.array(event), fc.array(fc.nat()), (events, cuts) => {
    const parser = new SseParser();
    const bytes = new TextEncoder().encode(events.map(sseEvent).join(""));
    const blocks = cut(bytes, cuts).flatMap((chunk) => parser.push(chunk));
    const written = events.filter((one) => Object.keys(one).length > 0);
    assert.equal(blocks.length, written.length);
    let lastId = "";
    for (const [i, one] of written.entries()) {
      lastId = one.id ?? lastId;
      assert.equal(blocks[i]?.id, lastId);
      assert.equal(blocks[i]?.event, one.event || "message");
      assert.equal(blocks[i]?.retry, one.retry);
      assert.equal(blocks[i]?.data, one.data === undefined ? undefined : newlines(one.data));
    }
  }));
});

Deno.test("sseMessage() gives each message's id, type and JSON to std's parser too", async () => {
  const type = fc.option(lineText.filter((text) => typeProblem(text) === undefined), {
    nil: undefined,
  });
  const message = fc.record({ topic: lineText, data: json, type });
  await fc.assert(
    fc.asyncProperty(fc.array(message), fc.array(fc.nat()), async (messages, cuts) => {
      const stored = messages.map(({ topic, data, type }, i) => ({
        id: `${i}-1`,
        topic,
        time: i,
        body: messageBody({ data, ...(type === undefined ? {} : { type }) }),
      }));
      const bytes = new TextEncoder().encode(stored.map((one) => sseMessage(one)).join(""));
      const stream = ReadableStream.from(cut(bytes, cuts)).pipeThrough(
        new ServerSentEventParseStream(),
      );
      const events = await Array.fromAsync(stream);
      assert.deepEqual(events.map(({ id }) => id), stored.map(({ id }) => id));
      assert.deepEqual(events.map(({ event }) => event), messages.map(({ type }) => type));
      assert.deepEqual(
        events.map(({ data }) => JSON.parse(data ?? "")),
        stored.map((one) => JSON.parse(messageJson(one))),
      );
    }),
    { numRuns: 50 },
  );
});

Deno.test("sseMessage() never lets a body of any writer start a line of its own", () => {
  const body = fc.record({ type: anyText, data: anyText }).map((fields) => JSON.stringify(fields));
  fc.assert(fc.property(body, fc.constantFrom("message", "data", "cloudevents"), (body, format) => {
    const block = sseMessage({ id: "1-1", topic: "a", time: 0, body }, { format });
    assert.equal(block.indexOf("\n\n"), block.length - 2, "one block");
    for (const line of block.trimEnd().split(/[\r\n]/)) assert.match(line, /^(event|id|data): ?/);
  }));
});
