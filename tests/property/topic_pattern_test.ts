import assert from "node:assert/strict";
import fc from "fast-check";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { TopicPattern } from "../../lib/codec/topic_pattern.ts";

const piece = fc.constantFrom("a", "b", ".", "/", ":", "$", "é", "😀", "*", "**");
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""))
  .filter((text) => text.includes("*"));
const topic = fc.array(piece.filter((one) => !one.includes("*")), { maxLength: 10 })
  .map((pieces) => pieces.join(""));

/** The definition, written down as it is read: tries every way, by going back. */
function naive(pattern: string, topic: string): boolean {
  if (pattern === "") return topic === "";
  if (pattern.startsWith("**")) {
    const rest = pattern.slice(2);
    for (let i = 0; i <= topic.length; i++) if (naive(rest, topic.slice(i))) return true;
    return false;
  }
  if (pattern.startsWith("*")) {
    for (let i = 1; i <= topic.length && !"./:".includes(topic[i - 1] ?? ""); i++) {
      if (naive(pattern.slice(1), topic.slice(i))) return true;
    }
    return false;
  }
  return pattern[0] === topic[0] && naive(pattern.slice(1), topic.slice(1));
}

Deno.test("TopicPattern agrees with a naive matcher on any pattern and topic", () => {
  fc.assert(
    fc.property(pattern, topic, (pattern, topic) => {
      const expected = !topic.startsWith("$") && naive(pattern, topic);
      assert.equal(new TopicPattern(pattern).matches(topic), expected);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("TopicPattern agrees with it behind any number of letters too", () => {
  fc.assert(
    fc.property(pattern, topic, fc.integer({ min: 1, max: 100 }), (pattern, topic, length) => {
      const letters = "q".repeat(length);
      const expected = naive(`*q${pattern}`, `yq${topic}`);
      assert.equal(
        new TopicPattern(`*${letters}${pattern}`).matches(`y${letters}${topic}`),
        expected,
      );
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("TopicPattern matches a topic that was made from it", () => {
  const filled = fc.array(
    fc.oneof(
      fc.constantFrom("a", ".", "x").map((text) => [text, text] as const),
      fc.string({ minLength: 1, unit: fc.constantFrom("a", "b", "é") }).map((t) =>
        ["*", t] as const
      ),
      fc.string({ unit: fc.constantFrom("a", ".", "/") }).map((t) => ["**", t] as const),
    ),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(fc.property(filled, (parts) => {
    const text = parts.map(([one]) => one).join("|");
    const topic = parts.map(([, one]) => one).join("|");
    assert.ok(new TopicPattern(text).matches(topic), `${text} matches ${topic}`);
  }));
});

Deno.test("TopicFilter matches exactly what one of its names or patterns does", () => {
  const names = fc.array(fc.oneof(pattern, topic.filter((name) => name !== "")), { maxLength: 5 });
  fc.assert(fc.property(names, topic, (names, topic) => {
    const filter = new TopicFilter(names);
    const expected = names.some((name) =>
      name.includes("*") ? new TopicPattern(name).matches(topic) : name === topic
    );
    assert.equal(filter.matches(topic), expected);
    assert.equal(new TopicFilter([...names].reverse()).key, filter.key);
  }));
});
