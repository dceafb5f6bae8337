import assert from "node:assert/strict";
import fc from "fast-check";
import { type SseBlock, SseParser } from "./sse_parser.ts";

function parse(text: string, chunkSize = Infinity): SseBlock[] {
  const bytes = new TextEncoder().encode(text);
  const parser = new SseParser();
  const blocks: SseBlock[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    blocks.push(...parser.push(bytes.subarray(at, at + chunkSize)));
  }
  return blocks;
}

/** Event and data of what fires, as short text. */
function fired(text: string): string[] {
  return parse(text).flatMap(({ event, data }) => data === undefined ? [] : [`${event}=${data}`]);
}

// The examples of the HTML standard, section 9.2.6.
Deno.test("SseParser reads the standard's examples as the standard says", () => {
  assert.deepEqual(fired("data: YHOO\ndata: +2\ndata: 10\n\n"), ["message=YHOO\n+2\n10"]);
  const blocks = parse(
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
  );
  assert.deepEqual(blocks.map(({ data, id }) => [data, id]), [
    [undefined, ""],
    ["first event", "1"],
    ["second event", ""],
  ]);
  assert.deepEqual(fired("data\n\ndata\ndata\n\ndata:"), ["message=", "message=\n"]);
  assert.deepEqual(fired("data:test\n\ndata: test\n\n"), ["message=test", "message=test"]);
});

Deno.test("SseParser ends lines at CR LF, CR and LF, wherever the chunks are cut", () => {
  const text = "\uFEFFid: 1\r\ndata: é\rdata: b\n\r\nevent: x\rdata: c\r\rdata: d\r\n\r\n";
  const whole = parse(text);
  assert.deepEqual(whole.map(({ event, data, id }) => [event, data, id]), [
    ["message", "é\nb", "1"],
    ["x", "c", "1"],
    ["message", "d", "1"],
  ]);
  for (let size = 1; size < text.length; size++) assert.deepEqual(parse(text, size), whole);
});

Deno.test("SseParser ends a line at a CR without waiting for more", () => {
  const parser = new SseParser();
  assert.equal(parser.push(new TextEncoder().encode("data: a\r\r")).length, 1);
  assert.deepEqual(parser.push(new TextEncoder().encode("\ndata: b\n\n"))[0]?.data, "b");
});

Deno.test("SseParser keeps the id of a block that fires nothing", () => {
  const [bare, next] = parse("id: 5-1\n\ndata: a\n\n");
  assert.deepEqual([bare?.idOnly, bare?.data, bare?.id], [true, undefined, "5-1"]);
  assert.deepEqual([next?.idOnly, next?.id], [false, "5-1"]);
});

Deno.test("SseParser ignores an id with NUL, a retry that is no number and unknown fields", () => {
  const [block] = parse("id: 1\0\nretry: 1s\nfoo: bar\n DATA: x\ndata: a\n\n");
  assert.deepEqual([block?.id, block?.retry, block?.data], ["", undefined, "a"]);
  assert.equal(parse("retry: 250\n\n")[0]?.retry, 250);
});

Deno.test("SseParser refuses bytes that are not UTF-8", () => {
  assert.throws(() => new SseParser().push(new Uint8Array([0xff, 0x0a])), TypeError);
});

Deno.test("SseParser gives the same blocks for any cut of any text", () => {
  const text = fc.array(
    fc.constantFrom("data", ":", " ", "id", "a", "é", "\r", "\n", "\r\n", "event"),
  )
    .map((parts) => parts.join(""));
  fc.assert(fc.property(text, fc.integer({ min: 1, max: 7 }), (value, size) => {
    assert.deepEqual(parse(value, size), parse(value));
  }));
});
