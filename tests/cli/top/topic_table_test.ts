import assert from "node:assert/strict";
import { TopicTable, type TopOrder } from "../../../lib/cli/top/topic_table.ts";

const seen = (topic: string, count: number, lastId: string | null = "5-1") => ({
  topic,
  count,
  lastId,
});

function names(table: TopicTable, order: TopOrder): string[] {
  return table.rows(order, { from: 0, count: 100 }).map(({ topic }) => topic);
}

Deno.test("TopicTable knows a rate after two looks", () => {
  const table = new TopicTable(100);
  table.look(seen("a", 10), 1_000);
  assert.equal(table.rows("rate", { from: 0, count: 1 })[0]?.rate, undefined);
  table.look(seen("a", 15), 3_000);
  assert.equal(table.rows("rate", { from: 0, count: 1 })[0]?.rate, 2.5);
  assert.deepEqual([table.rate, table.busy, table.size], [2.5, 1, 1]);
});

Deno.test("TopicTable takes looks that follow each other closely as one", () => {
  const table = new TopicTable(500);
  table.look(seen("a", 0), 1_000);
  table.look(seen("a", 9), 1_001);
  table.look(seen("a", 10), 2_000);
  assert.equal(table.rate, 10);
});

Deno.test("TopicTable counts a topic that is new from when there was none", () => {
  const table = new TopicTable(100);
  table.look(seen("new", 6), 3_000, 1_000);
  assert.equal(table.rate, 3);
});

Deno.test("TopicTable takes a topic with fewer messages than before as another one", () => {
  const table = new TopicTable(100);
  table.look(seen("a", 100), 1_000);
  table.look(seen("a", 4), 2_000);
  assert.equal(table.rate, 4);
});

Deno.test("TopicTable orders by rate, then by the last message; by messages; by name", () => {
  const table = new TopicTable(100);
  for (
    const [topic, count, lastId] of [["c", 5, "1-1"], ["a", 9, "2-1"], ["b", 1, null]] as const
  ) {
    table.look(seen(topic, count, lastId), 1_000);
  }
  assert.deepEqual(names(table, "rate"), ["a", "c", "b"]);
  assert.deepEqual(names(table, "messages"), ["a", "c", "b"]);
  assert.deepEqual(names(table, "name"), ["a", "b", "c"]);
  table.look(seen("b", 2, "3-1"), 2_000);
  assert.deepEqual(names(table, "rate"), ["b", "a", "c"]);
  table.forget("b");
  assert.deepEqual(names(table, "rate"), ["a", "c"]);
});

Deno.test("TopicTable forgets what was not seen for so long", () => {
  const table = new TopicTable(100);
  table.look(seen("old", 1), 1_000);
  table.look(seen("kept", 1), 2_000);
  assert.equal(table.oldest(2_500), 1_500);
  table.forgetUnseen(2_000);
  assert.deepEqual(names(table, "name"), ["kept"]);
});
