import assert from "node:assert/strict";
import { latestFirst, partsOf, unreadAfter, type UnreadTopic } from "../../lib/broker/unread.ts";
import { idOf } from "../_support/ids.ts";

const topic = (name: string, last: number, largest = 100): UnreadTopic => ({
  topic: name,
  state: { last: idOf(last), count: 1, largest },
});

const LIMITS = { topics: 10, messages: 100, bytes: 1_000 };

Deno.test("unreadAfter() leaves out what is read and what never was", () => {
  const known = [topic("a", 1), { topic: "never", state: undefined }, topic("b", 2), topic("c", 3)];
  assert.deepEqual(unreadAfter(known, idOf(2)).map(({ topic }) => topic), ["c"]);
  assert.deepEqual(latestFirst(known).map(({ topic }) => topic), ["c", "b", "a"]);
});

Deno.test("partsOf() reads few topics in one call, as many of their messages as a page takes", () => {
  assert.deepEqual(partsOf([], LIMITS), [[]]);
  const [part = [], ...rest] = partsOf([topic("a", 1, 10), topic("b", 2, 100)], LIMITS);
  assert.deepEqual([part.map(({ count }) => count), rest], [[50, 5], []]);
});

Deno.test("partsOf() reads no more topics and bytes in one call than it may", () => {
  const small = partsOf(Array.from({ length: 25 }, (_, i) => topic(`${i}`, 1, 1)), LIMITS);
  assert.deepEqual(small.map(({ length }) => length), [10, 10, 5]);
  const large = partsOf(Array.from({ length: 7 }, (_, i) => topic(`${i}`, 1, 900)), LIMITS);
  assert.deepEqual(large.map(({ length }) => length), [2, 2, 2, 1]);
  const huge = partsOf([topic("a", 1, 9_000), topic("b", 1, 9_000)], LIMITS);
  assert.deepEqual(huge.map((part) => part.map(({ count }) => count)), [[1], [1]]);
});
