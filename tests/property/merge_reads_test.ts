import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeReads, type TopicRead } from "../../lib/broker/page.ts";
import { compareIds, formatId, type Id, ZERO } from "../../lib/codec/id.ts";
import { idOf, messageOf } from "../_support/ids.ts";

/** A history: which topic has the message with each number, and how many of each topic's first were trimmed. */
const history = fc.record({
  topics: fc.array(fc.nat(3), { maxLength: 40 }),
  trimmed: fc.array(fc.nat(12), { minLength: 4, maxLength: 4 }),
  counts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 4 }),
  cursor: fc.nat(40),
});

/** Reads each topic after a cursor, as Redis would. */
function readsAfter(
  { topics, trimmed, counts }: { topics: number[]; trimmed: number[]; counts: number[] },
  cursor: Id,
): TopicRead[] {
  return [0, 1, 2, 3].flatMap((topic) => {
    const numbers = topics.flatMap((one, i) => one === topic ? [i + 1] : []);
    if (numbers.length === 0) return [];
    const kept = numbers.slice(trimmed[topic]);
    const entries = kept.map((n) => ({
      id: idOf(n),
      previous: n === numbers[0] ? ZERO : idOf(numbers[numbers.indexOf(n) - 1] ?? 0),
      number: numbers.indexOf(n) + 1,
      message: messageOf(`t${topic}`, n),
    })).filter((entry) => compareIds(entry.id, cursor) > 0);
    const count = counts[topic] ?? 1;
    const state = { last: idOf(numbers.at(-1) ?? 0), count: numbers.length, largest: 10 };
    return [{
      topic: `t${topic}`,
      state,
      entries: entries.slice(0, count),
      truncated: entries.length >= count,
    }];
  });
}

Deno.test("mergeReads(), page after page, gives what is kept once and in order, and announces the rest", () => {
  fc.assert(
    fc.property(history, (history) => {
      const clock = idOf(history.topics.length);
      const start = idOf(Math.min(history.cursor, history.topics.length));
      let cursor = start.ms === 0 ? ZERO : start;
      const given: number[] = [];
      const gaps = new Set<string | null>();
      for (let pages = 0; compareIds(cursor, clock) < 0; pages++) {
        assert.ok(pages < 100, "the reading gets nowhere");
        const page = mergeReads(readsAfter(history, cursor), {
          after: cursor,
          upTo: clock,
          floors: undefined,
        });
        assert.ok(compareIds(page.cursor, cursor) > 0, "each page goes on");
        for (const gap of page.gaps) {
          gaps.add(gap.topic);
          assert.equal(gap.after, formatId(cursor));
        }
        given.push(...page.batch.ids.map(({ ms }) => ms));
        cursor = page.cursor;
      }
      const wanted = history.topics.map((topic, i) => ({ topic, n: i + 1 }))
        .filter(({ n }) => n > start.ms);
      const isTrimmed = ({ topic, n }: { topic: number; n: number }) =>
        history.topics.slice(0, n - 1).filter((one) => one === topic).length <
          (history.trimmed[topic] ?? 0);
      assert.deepEqual(given, wanted.filter((one) => !isTrimmed(one)).map(({ n }) => n));
      const lost = new Set(wanted.filter(isTrimmed).map(({ topic }) => `t${topic}`));
      assert.deepEqual(gaps, lost);
    }),
    { numRuns: 2_000 },
  );
});
