import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../lib/codec/json.ts";
import { LineSplitter, ndjsonLine } from "../../lib/codec/ndjson.ts";

const LF = 10;

/** The lines of bytes that come in chunks cut anywhere; undefined for one that is too long. */
function split(bytes: Uint8Array, cuts: readonly number[], maxBytes: number) {
  const at = [...new Set(cuts.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [0, ...at].map((start, i) => bytes.slice(start, at[i] ?? bytes.length));
  const splitter = new LineSplitter({ maxBytes });
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

Deno.test("LineSplitter gives back the values that ndjsonLine() wrote, cut anywhere", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat()), (values, cuts) => {
      const bytes = new TextEncoder().encode(values.map(ndjsonLine).join(""));
      const lines = split(bytes, cuts, 1_000_000);
      const read = lines.map((line) => parseJson(line.bytes ?? new Uint8Array()));
      assert.deepEqual(read, values.map((value) => JSON.parse(JSON.stringify(value))));
    }),
  );
});

Deno.test("LineSplitter gives the same lines for any bytes, however they are cut", () => {
  // few different bytes, so that line breaks of every form, blank and over-long lines are common
  const bytes = fc.array(fc.constantFrom(LF, 13, 32, 120, 0, 0xc3), { maxLength: 60 });
  const cuts = fc.array(fc.nat(), { maxLength: 60 });
  fc.assert(
    fc.property(bytes, cuts, fc.nat({ max: 8 }), (bytes, cuts, maxBytes) => {
      const whole = Uint8Array.from(bytes);
      assert.deepEqual(split(whole, cuts, maxBytes), simpleSplit(whole, maxBytes));
    }),
  );
});

Deno.test("LineSplitter gives the same lines cut at every byte, and at each one", () => {
  const bytes = new TextEncoder().encode('{"é":1}\r\n\n \n"😀"\rx\r\r\nlonger than that\nlast');
  const wanted = simpleSplit(bytes, 10);
  const everywhere = Array.from(bytes, (_, i) => i);
  assert.deepEqual(split(bytes, everywhere, 10), wanted);
  for (const at of everywhere) assert.deepEqual(split(bytes, [at], 10), wanted);
});

/** The same, without streaming. */
function simpleSplit(bytes: Uint8Array, maxBytes: number) {
  const lines: { number: number; bytes: Uint8Array | undefined }[] = [];
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const found = bytes.indexOf(LF, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.slice(start, bytes[end - 1] === 13 && end > start ? end - 1 : end);
    if (line.length > maxBytes) lines.push({ number, bytes: undefined });
    else if (!line.every((byte) => [9, 13, 32].includes(byte))) lines.push({ number, bytes: line });
    start = end + 1;
  }
  return lines;
}
