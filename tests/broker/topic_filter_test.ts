import assert from "node:assert/strict";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";

Deno.test("TopicFilter parts names from patterns and drops duplicates", () => {
  const filter = new TopicFilter(["b", "a.*", "a", "b", "a.*"]);
  assert.deepEqual(filter.topics, ["a", "b"]);
  assert.deepEqual(filter.patterns.map(({ text }) => text), ["a.*"]);
});

Deno.test("TopicFilter is open only where topics that come later can match", () => {
  assert.equal(new TopicFilter(["a"]).isOpen, false);
  assert.equal(new TopicFilter(["a", "b.**"]).isOpen, true);
});

Deno.test("TopicFilter gives a reserved topic only to whoever names it", () => {
  assert.equal(new TopicFilter(["$dead.jobs"]).matches("$dead.jobs"), true);
  assert.equal(new TopicFilter(["**"]).matches("$dead.jobs"), false);
});

Deno.test("TopicFilter.key is equal for the same wishes and different for others", () => {
  assert.equal(new TopicFilter(["a", "b"]).key, new TopicFilter(["b", "a", "a"]).key);
  assert.notEqual(new TopicFilter(["a", "b"]).key, new TopicFilter(["ab"]).key);
  assert.notEqual(new TopicFilter(["a"]).key, new TopicFilter(["a*"]).key);
});
