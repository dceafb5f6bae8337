import assert from "node:assert/strict";
import {
  LineSplitter,
  ndjsonLine,
  ndjsonMessage,
  type SplitOptions,
} from "../../lib/codec/ndjson.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

/** The lines of some chunks; undefined for one that is too long. */
function linesOf(chunks: readonly string[], options: SplitOptions = { maxBytes: 100 }) {
  const splitter = new LineSplitter(options);
  const lines = [...chunks.flatMap((chunk) => splitter.push(encode(chunk))), ...splitter.end()];
  return lines.map(({ bytes }) => decode(bytes));
}

Deno.test("ndjsonLine() writes one line, whatever is in the value", () => {
  assert.equal(ndjsonLine({ a: "x\ny" }), '{"a":"x\\ny"}\n');
});

Deno.test("ndjsonMessage() writes the whole message or its payload", () => {
  const stored = { id: "1-1", topic: "a", time: 0, body: '{"data":"x"}' };
  assert.equal(
    ndjsonMessage(stored),
    '{"id":"1-1","topic":"a","time":"1970-01-01T00:00:00.000Z","data":"x"}\n',
  );
  assert.equal(ndjsonMessage(stored, { format: "data" }), '"x"\n');
  assert.equal(
    ndjsonMessage({ ...stored, body: '{"dataBase64":"AA=="}' }, { format: "data" }),
    '"AA=="\n',
  );
});

Deno.test("ndjsonMessage() keeps a body with line breaks of another writer on one line", () => {
  const line = ndjsonMessage({ id: "1-1", topic: "a", time: 0, body: '{\n"data":\r1}' });
  assert.match(line, /^[^\r\n]+\n$/);
  assert.equal(JSON.parse(line).data, 1);
});

Deno.test("LineSplitter gives the lines of chunks, with LF or CR LF and without a last one", () => {
  assert.deepEqual(linesOf(["a\nb\r\nc"]), ["a", "b", "c"]);
  assert.deepEqual(linesOf(["a\n", "b\n"]), ["a", "b"]);
  assert.deepEqual(linesOf([]), []);
});

Deno.test("LineSplitter joins a line that comes in pieces, also between CR and LF", () => {
  assert.deepEqual(linesOf(["a", "b", "c\r", "\nd", "\n"]), ["abc", "d"]);
});

Deno.test("LineSplitter joins a character that is cut between its bytes", () => {
  const bytes = encode("é😀\n");
  const splitter = new LineSplitter({ maxBytes: 100 });
  const lines = Array.from(bytes, (byte) => splitter.push(Uint8Array.of(byte))).flat();
  assert.deepEqual(lines.map((line) => decode(line.bytes)), ["é😀"]);
});

Deno.test("LineSplitter skips blank lines and counts them", () => {
  const splitter = new LineSplitter({ maxBytes: 9 });
  const lines = [...splitter.push(encode("\n \t\r\na\n\nb\n\r")), ...splitter.end()];
  const numbered = lines.map(({ number, bytes }) => [number, decode(bytes)]);
  assert.deepEqual(numbered, [[3, "a"], [5, "b"]]);
});

Deno.test("LineSplitter reports a line that is too long and goes on with the next", () => {
  const long = "x".repeat(11);
  assert.deepEqual(linesOf([`a\n${long}\nb`], { maxBytes: 10 }), ["a", undefined, "b"]);
  assert.deepEqual(linesOf(["a\n", ...long, "\nb"], { maxBytes: 10 }), ["a", undefined, "b"]);
  assert.deepEqual(linesOf([long], { maxBytes: 10 }), [undefined]);
});

Deno.test("LineSplitter takes a line of exactly the most, whatever ends it", () => {
  const most = "x".repeat(10);
  const options = { maxBytes: 10 };
  assert.deepEqual(linesOf([`${most}\n${most}\r\n${most}`], options), [most, most, most]);
  assert.deepEqual(linesOf([...`${most}\r\n${most}`], options), [most, most]);
});

Deno.test("LineSplitter holds no more than the most of a line, however long it gets", () => {
  const splitter = new LineSplitter({ maxBytes: 1000 });
  const chunk = new Uint8Array(64 * 1024).fill(120);
  const before = Deno.memoryUsage().external;
  for (let i = 0; i < 2000; i++) assert.deepEqual(splitter.push(chunk), []);
  assert(Deno.memoryUsage().external - before < 32 * 1024 * 1024, "125 MB were not kept");
  assert.deepEqual(splitter.push(encode("\nok\n")).map((line) => decode(line.bytes)), [
    undefined,
    "ok",
  ]);
});
