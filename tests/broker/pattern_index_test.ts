import assert from "node:assert/strict";
import { PatternIndex } from "../../lib/broker/pattern_index.ts";
import { TopicPattern } from "../../lib/codec/topic_pattern.ts";

let tries = 0;

/** A pattern that counts how often it is matched with a topic. */
class CountedPattern extends TopicPattern {
  override matches(topic: string): boolean {
    tries++;
    return super.matches(topic);
  }
}

/** An index in which each pattern has itself for a listener. */
function indexOf(...patterns: string[]): PatternIndex<string> {
  const index = new PatternIndex<string>();
  for (const text of patterns) index.add(new CountedPattern(text), text);
  tries = 0;
  return index;
}

const listenersOf = (index: PatternIndex<string>, topic: string) =>
  index.of(topic).flatMap((listeners) => [...listeners]).sort();

/** Many patterns of a kind, each with a number of its own. */
const many = (patternOf: (n: number) => string) =>
  Array.from({ length: 400 }, (_, n) => patternOf(n));

Deno.test("PatternIndex matches a topic with the patterns on its way alone, however many there are", () => {
  const index = indexOf(
    ...many((n) => `orders.${n}.*`),
    ...many((n) => `*.${n}/item`),
    ...many((n) => `*:*/${n}**`),
    "*.7/*",
    "or**",
  );
  assert.deepEqual(listenersOf(index, "orders.7.x"), ["or**", "orders.7.*"]);
  assert.deepEqual(listenersOf(index, "orders.7/item"), ["*.7/*", "*.7/item", "or**"]);
  assert.deepEqual(listenersOf(index, "bills.7.x"), []);
  assert.equal(tries, 6);
  assert.deepEqual(listenersOf(index, "bills:7/13"), ["*:*/1**", "*:*/13**"]);
});

Deno.test("PatternIndex matches a topic that comes again with the patterns alone that came since", () => {
  const index = indexOf(...many((n) => `**.${n}`));
  assert.deepEqual(listenersOf(index, "a.7"), ["**.7"]);
  assert.equal(tries, 400);
  index.add(new CountedPattern("a.*"), "new");
  index.add(new CountedPattern("b.*"), "new");
  assert.deepEqual(listenersOf(index, "a.7"), ["**.7", "new"]);
  assert.deepEqual(listenersOf(index, "a.7"), ["**.7", "new"]);
  assert.equal(tries, 402);
});

Deno.test("PatternIndex matches a pattern of many listeners once", () => {
  const index = indexOf();
  for (let n = 0; n < 400; n++) index.add(new CountedPattern("a.*"), `${n}`);
  assert.equal(listenersOf(index, "a.b").length, 400);
  assert.equal(tries, 1);
});

Deno.test("PatternIndex is right about a topic while thousands of patterns come and go", () => {
  const index = indexOf("a.*");
  for (let n = 0; n < 2_500; n++) {
    const pattern = new CountedPattern(`a.${n % 50}**`);
    index.add(pattern, "passing");
    assert.deepEqual(listenersOf(index, `a.${n % 50}`), ["a.*", "passing"]);
    index.delete(pattern, "passing");
    assert.deepEqual(listenersOf(index, `a.${n % 50}`), ["a.*"]);
  }
  // those of patterns that went, empty, do not pile up
  assert.ok(index.of("a.7").length <= 20, `${index.of("a.7").length} sets`);
});

Deno.test("PatternIndex.delete() of the last listener leaves the patterns beside it", () => {
  const index = indexOf("a.*", "a.b.*", "a.b.*.c");
  for (const text of ["a.b.*", "a.b.*", "never.*"]) index.delete(new TopicPattern(text), text);
  assert.deepEqual(listenersOf(index, "a.b.x"), []);
  assert.deepEqual(listenersOf(index, "a.b.x.c"), ["a.b.*.c"]);
  assert.deepEqual(listenersOf(index, "a.b"), ["a.*"]);
  assert.deepEqual([...index.all()].map(({ size }) => size), [1, 1]);
});
