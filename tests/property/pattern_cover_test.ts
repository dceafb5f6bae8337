import assert from "node:assert/strict";
import fc from "fast-check";
import { covers } from "../../lib/codec/pattern_cover.ts";
import { isPattern, TopicPattern } from "../../lib/codec/topic_pattern.ts";

/**
 * Enough letters that a wildcard can stand for one that no pattern names, be it one that `*` stands for or not, and more
 * than any pattern has pieces.
 */
const LETTERS = ["a", "b", "x", ".", "/"];
const LENGTH = 5;
const TOPICS = allTopics();

const pieces = fc.constantFrom("a", "b", ".", "*", "**");
const name = fc.array(pieces, { minLength: 1, maxLength: 4 }).map((some) => some.join(""));

function allTopics(): string[] {
  const all = [""];
  for (const topic of all) {
    if (topic.length < LENGTH) { for (const letter of LETTERS) all.push(topic + letter); }
  }
  return all.slice(1);
}

function matcherOf(name: string): (topic: string) => boolean {
  if (!isPattern(name)) return (topic) => topic === name;
  const pattern = new TopicPattern(name);
  return (topic) => pattern.matches(topic);
}

/** The definition: no topic is in `name` that is not in `grant`. */
function coversByModel(grant: string, name: string): boolean {
  const [isGranted, isWanted] = [matcherOf(grant), matcherOf(name)];
  return TOPICS.every((topic) => !isWanted(topic) || isGranted(topic));
}

Deno.test("covers() grants exactly what a walk through all short topics grants", () => {
  let yes = 0;
  fc.assert(
    fc.property(name, name, (grant, wanted) => {
      const expected = coversByModel(grant, wanted);
      if (expected) yes++;
      assert.equal(covers(grant, wanted), expected, `${grant} covers ${wanted}`);
    }),
    { numRuns: 1_500 },
  );
  assert.ok(yes > 50, `only ${yes} pairs were of the granted kind`);
});

Deno.test("covers() takes every pattern as its own grant, and each topic that it matches", () => {
  fc.assert(fc.property(name, fc.constantFrom(...TOPICS), (grant, topic) => {
    assert.ok(covers(grant, grant));
    assert.equal(covers(grant, topic), matcherOf(grant)(topic), `${grant} covers ${topic}`);
  }));
});

Deno.test("covers() says the same of long names, whose places take more than one word of bits", () => {
  const length = fc.integer({ min: 2, max: 100 });
  fc.assert(
    fc.property(name, name, length, (grant, wanted, length) => {
      const [short, long] = [1, length].map((count) => "q".repeat(count));
      assert.equal(
        covers(`*${long}${grant}`, `y${long}${wanted}`),
        covers(`*${short}${grant}`, `y${short}${wanted}`),
        `${grant} covers ${wanted} behind ${length} letters`,
      );
    }),
    { numRuns: 3_000 },
  );
});
