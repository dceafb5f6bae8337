import assert from "node:assert/strict";
import { mergeReads, pageCount, type TopicRead } from "../../lib/broker/page.ts";
import { formatId } from "../../lib/codec/id.ts";
import { idOf, messageOf } from "../_support/ids.ts";

/** A read of a topic's messages with these numbers; `first` names the one before the first. */
function readOf(
  topic: string,
  numbers: number[],
  options: { before?: number; last?: number; truncated?: boolean; deleted?: boolean } = {},
): TopicRead {
  const { before = 0, last = numbers.at(-1) ?? before, truncated = false, deleted } = options;
  const entries = numbers.map((n, i) => ({
    id: idOf(n),
    previous: idOf(numbers[i - 1] ?? before),
    number: i + 1,
    message: messageOf(topic, n),
  }));
  const state = { last: idOf(last), count: 99, largest: 10, ...(deleted ? { deletedAt: 1 } : {}) };
  return { topic, state, entries, truncated };
}

const bounds = { after: idOf(0), upTo: idOf(100), floors: undefined };
const numbersOf = ({ batch }: ReturnType<typeof mergeReads>) => batch.ids.map(({ ms }) => ms);
const text = (n: number) => formatId(idOf(n));

Deno.test("mergeReads() puts the topics' messages into one order", () => {
  const merged = mergeReads([readOf("a", [1, 4, 5]), readOf("b", [2, 3, 6])], bounds);
  assert.deepEqual(numbersOf(merged), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(merged.batch.messages.map(({ topic }) => topic).join(""), "abbaab");
  assert.deepEqual([merged.cursor, merged.gaps], [idOf(100), []]);
});

Deno.test("mergeReads() stops where the first read stopped short", () => {
  const reads = [readOf("a", [1, 4], { truncated: true }), readOf("b", [2, 3, 6])];
  const merged = mergeReads(reads, bounds);
  assert.deepEqual([numbersOf(merged), merged.cursor], [[1, 2, 3, 4], idOf(4)]);
});

Deno.test("mergeReads() announces what was trimmed before a topic's first message", () => {
  const merged = mergeReads([readOf("a", [7, 8], { before: 6 }), readOf("b", [1])], {
    ...bounds,
    after: idOf(0),
  });
  assert.deepEqual(merged.gaps, [
    { topic: "a", after: text(0), before: text(7), reason: "retention" },
  ]);
});

Deno.test("mergeReads() sees no gap where the message before is the cursor or older", () => {
  for (const before of [5, 3]) {
    const merged = mergeReads([readOf("a", [7], { before })], { ...bounds, after: idOf(5) });
    assert.deepEqual(merged.gaps, []);
  }
});

Deno.test("mergeReads() announces a topic of which nothing is left", () => {
  const [trimmed, deleted] = [
    readOf("a", [], { last: 9 }),
    readOf("a", [], { last: 9, deleted: true }),
  ];
  const gap = { topic: "a", after: text(5), before: null };
  const after = idOf(5);
  assert.deepEqual(mergeReads([trimmed], { ...bounds, after }).gaps, [{
    ...gap,
    reason: "retention",
  }]);
  assert.deepEqual(mergeReads([deleted], { ...bounds, after }).gaps, [{
    ...gap,
    reason: "deleted",
  }]);
  assert.deepEqual(mergeReads([trimmed], { ...bounds, after: idOf(9) }).gaps, []);
});

Deno.test("mergeReads() leaves a gap behind the page's end to the page that reaches it", () => {
  const reads = [readOf("a", [1, 2], { truncated: true }), readOf("b", [50], { before: 40 })];
  assert.deepEqual(mergeReads(reads, bounds).gaps, []);
});

Deno.test("mergeReads() announces what is gone where the page ends before what is there again", () => {
  const reads = [readOf("a", [1, 5], { truncated: true }), readOf("b", [9], { before: 4 })];
  const page = mergeReads(reads, bounds);
  assert.deepEqual(page.gaps.map(({ topic, before }) => [topic, before]), [["b", text(9)]]);
  const next = mergeReads([readOf("b", [9], { before: 4 })], { ...bounds, after: page.cursor });
  assert.deepEqual(next.gaps, []);
});

Deno.test("mergeReads() does not announce what was gone before an earliest subscription began", () => {
  const floors = new Map([["a", idOf(6)]]);
  assert.deepEqual(mergeReads([readOf("a", [7], { before: 6 })], { ...bounds, floors }).gaps, []);
  const trimmedSince = mergeReads([readOf("a", [9], { before: 8 })], { ...bounds, floors });
  assert.deepEqual(trimmedSince.gaps.map(({ after, before }) => [after, before]), [[
    text(6),
    text(9),
  ]]);
});

Deno.test("mergeReads() of nothing moves the cursor to the end", () => {
  const merged = mergeReads([], bounds);
  assert.deepEqual([numbersOf(merged), merged.cursor], [[], idOf(100)]);
});

Deno.test("pageCount() fits messages of the largest size, one at the least", () => {
  assert.equal(pageCount({ largest: 100, bytes: 1_000, most: 50 }), 10);
  assert.equal(pageCount({ largest: 1, bytes: 1_000, most: 50 }), 50);
  assert.equal(pageCount({ largest: 0, bytes: 1_000, most: 50 }), 50);
  assert.equal(pageCount({ largest: 5_000, bytes: 1_000, most: 50 }), 1);
});
