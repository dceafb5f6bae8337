import assert from "node:assert/strict";
import fc from "fast-check";
import {
  advanceId,
  compareIds,
  formatId,
  generationOf,
  type Id,
  latestId,
  parseId,
  readId,
  ZERO,
} from "../../lib/codec/id.ts";

const id: fc.Arbitrary<Id> = fc.record({
  ms: fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 999_999_999_999_999 })),
  seq: fc.oneof(fc.nat(5), fc.maxSafeNat()),
}, { noNullPrototype: true });

/** As Redis orders stream ids: two numbers, the first one first. */
function expectedOrder(a: Id, b: Id): number {
  return a.ms === b.ms ? Math.sign(a.seq - b.seq) : Math.sign(a.ms - b.ms);
}

Deno.test("parseId() reads back what formatId() wrote", () => {
  fc.assert(fc.property(id, (one) => {
    assert.deepEqual(parseId(formatId(one)), one);
    assert.deepEqual(readId(formatId(one)), one);
  }));
});

Deno.test("parseId() reads two numbers and a dash, and no other text", () => {
  const text = fc.string({
    unit: fc.constantFrom("0", "1", "9", "-", " ", "e", "+", ".", "１", "\n"),
  });
  fc.assert(fc.property(text, (text) => {
    const read = parseId(text);
    assert.equal(
      read !== undefined,
      /^[019]{1,15}-[019]{1,16}$/.test(text) && Number(text.split("-")[1]) <= 2 ** 53 - 1,
    );
    if (read === undefined) assert.throws(() => readId(text), TypeError);
  }));
});

Deno.test("compareIds() orders as Redis does, and latestId() takes the later", () => {
  fc.assert(fc.property(id, id, (a, b) => {
    assert.equal(Math.sign(compareIds(a, b)), expectedOrder(a, b));
    assert.equal(Math.sign(compareIds(b, a)) + expectedOrder(a, b), 0);
    assert.equal(compareIds(latestId(a, b), a) >= 0 && compareIds(latestId(a, b), b) >= 0, true);
    assert.ok(compareIds(a, ZERO) >= 0);
  }));
});

Deno.test("advanceId() stays within a generation for as long as a commit can", () => {
  const generation = fc.nat(2 ** 36);
  fc.assert(fc.property(generation, fc.nat(65_535), fc.nat(65_535), (generation, n, more) => {
    const first = { ms: 1, seq: generation * 65_536 + n };
    assert.equal(generationOf(first), generation);
    assert.equal(generationOf(advanceId(first, Math.min(more, 65_535 - n))), generation);
    assert.equal(compareIds(advanceId(first, more), first), more);
  }));
});

Deno.test("generations last until 2059 without leaving what a number holds exactly", () => {
  const seconds = (Date.UTC(2059, 0, 1) - Date.UTC(2026, 0, 1)) / 1_000;
  const last = { ms: Date.UTC(2059, 0, 1), seq: (seconds * 128 + 127) * 65_536 + 65_535 };
  assert.ok(Number.isSafeInteger(last.seq));
  assert.deepEqual(parseId(formatId(last)), last);
});
