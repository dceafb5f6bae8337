import assert from "node:assert/strict";
import { isPattern, segmentsOf, starOf, TopicPattern } from "../../lib/codec/topic_pattern.ts";

/** What each pattern matches and what it does not. */
const EXAMPLES: readonly [pattern: string, matching: string[], others: string[]][] = [
  ["*", ["a", "order-1", "é", "😀"], ["", "a.b", "a/b", "a:b", "$a"]],
  ["orders.*", ["orders.1", "orders.é"], ["orders.", "orders", "orders.1.2", "xorders.1"]],
  ["*.created", ["order.created"], [".created", "a.b.created", "order.created.x"]],
  ["a*c", ["abc", "abbc", "acc"], ["ac", "a.c", "abcd"]],
  ["**", ["", "a", "a.b/c:d"], ["$dead.a"]],
  ["a.**", ["a.", "a.b", "a.b.c/d"], ["a", "b.a."]],
  ["**.b", [".b", "a.b", "a.a.b"], ["b", "a.b.c"]],
  ["a**b", ["ab", "a.b", "aabb"], ["a", "abc"]],
  ["***", ["a", "a.b"], ["", "a."]],
  ["a.*.*", ["a.b.c"], ["a.b", "a.b.", "a..c"]],
  ["(a|b)+", ["(a|b)+"], ["a", "ab"]],
  ["$dead.*", [], ["$dead.a"]],
];

Deno.test("TopicPattern matches what design says of * and **", () => {
  for (const [text, matching, others] of EXAMPLES) {
    const pattern = new TopicPattern(text);
    for (const topic of matching) assert.ok(pattern.matches(topic), `${text} matches ${topic}`);
    for (const topic of others) assert.ok(!pattern.matches(topic), `${text} spares ${topic}`);
  }
});

Deno.test("TopicPattern.prefix is the literal start of every match", () => {
  assert.equal(new TopicPattern("orders.*.x").prefix, "orders.");
  assert.equal(new TopicPattern("**").prefix, "");
});

Deno.test("segmentsOf() cuts behind what `*` does not go over", () => {
  assert.deepEqual(segmentsOf("a.b*/**:c"), ["a.", "b*/", "**:", "c"]);
  assert.deepEqual(segmentsOf("..a:"), [".", ".", "a:"]);
  assert.deepEqual(segmentsOf(""), []);
});

Deno.test("starOf() is what a segment has in common with all that end like it", () => {
  assert.deepEqual(["a", "a.", "*", "*:", "/"].map(starOf), ["*", "*.", "*", "*:", "/"]);
});

Deno.test("isPattern() is true of wildcards only", () => {
  assert.equal(isPattern("a.*"), true);
  assert.equal(isPattern("a.b"), false);
});

Deno.test("TopicPattern comes to an end with patterns made to be slow", () => {
  // 512 characters is the longest of both; a matcher that goes back would never return from here
  const hostile = [
    ...["*a".repeat(256), "**a".repeat(170), "*".repeat(511) + "b", "a*".repeat(256)],
    `${"**a".repeat(169)}b**a`,
  ];
  const topic = "a".repeat(512);
  const found = hostile.map((text) => new TopicPattern(text).matches(topic));
  assert.deepEqual(found, [true, true, false, true, false]);
});
