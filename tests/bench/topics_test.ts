import assert from "node:assert/strict";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { spreadTopics } from "./topics.ts";

Deno.test("spreadTopics() gives each partition as many, neighbours in different ones", () => {
  const topics = spreadTopics({ partitions: 8, each: 3 });
  assert.equal(new Set(topics).size, 24);
  for (const round of [topics.slice(0, 8), topics.slice(8, 16), topics.slice(16)]) {
    assert.deepEqual(round.map((topic) => partitionOf(topic, 8)), [0, 1, 2, 3, 4, 5, 6, 7]);
  }
});
