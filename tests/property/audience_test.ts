import assert from "node:assert/strict";
import fc from "fast-check";
import { Audience, type Filtered } from "../../lib/broker/audience.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";

const pieces = fc.constantFrom("a", "b", "a.", "b/", "*.", ".", ":", "$", "*", "**");
const name = fc.array(pieces, { minLength: 1, maxLength: 6 }).map((some) => some.join(""));
/** Longer than the index goes into a pattern. */
const longName = fc.tuple(fc.integer({ min: 0, max: 12 }), name)
  .map(([segments, end]) => "a.".repeat(segments) + end);
const names = fc.array(fc.oneof(name, longName), { minLength: 1, maxLength: 4 });
const step = fc.record({
  /** A listener comes, or the one at this place of those who are there goes. */
  change: fc.oneof(names, fc.nat(20)),
  /** What is asked for then; also patterns, as the wake-up of a pattern's group is. */
  topics: fc.array(fc.oneof(name, longName), { maxLength: 4 }),
});

function told(audience: Audience<Filtered>, topic: string): Set<Filtered> {
  const all: Filtered[] = [];
  audience.forEach(topic, (one) => all.push(one));
  assert.equal(new Set(all).size, all.length, `each is told once of ${topic}`);
  return new Set(all);
}

Deno.test("Audience tells those whom matching each topic with each filter would tell", () => {
  let [some, none] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const audience = new Audience<Filtered>();
      const present = new Set<Filtered>();
      for (const { change, topics } of steps) {
        if (typeof change === "number") {
          const gone = [...present][change] ?? { filter: new TopicFilter(["a", "*"]) };
          audience.remove(gone);
          present.delete(gone);
        } else {
          const listener = { filter: new TopicFilter(change) };
          audience.add(listener);
          present.add(listener);
        }
        for (const topic of ["a", "b.a", ...topics]) {
          const expected = [...present].filter(({ filter }) => filter.matches(topic));
          expected.length > 0 ? some++ : none++;
          assert.deepEqual(told(audience, topic), new Set(expected), topic);
          assert.equal(audience.has(topic), expected.length > 0, topic);
        }
        assert.deepEqual(audience.all(), present);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(some > 1_000 && none > 1_000, `${some} topics with listeners, ${none} without`);
});
