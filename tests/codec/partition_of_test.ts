import assert from "node:assert/strict";
import { partitionOf, partitionOfPattern } from "../../lib/codec/partition_of.ts";
import { range } from "../_support/fill.ts";

Deno.test("partitionOf() never changes: where a topic is, is stored by it", () => {
  const topics = ["a", "orders.eu", "ünïcödé", "😀", "x".repeat(512), "orders.{eu}.1"];
  assert.deepEqual(topics.map((topic) => partitionOf(topic, 64)), [51, 44, 11, 38, 61, 14]);
});

Deno.test("partitionOf() spreads topics evenly", () => {
  const names = [
    (i: number) => `t${i}`,
    (i: number) => `orders.${i}.created`,
    (i: number) => `${i}`,
  ];
  for (const name of names) {
    const counts = new Array<number>(16).fill(0);
    for (const i of range(0, 16_000)) {
      const partition = partitionOf(name(i), 16);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150, `${counts}`);
  }
});

Deno.test("partitionOf() keeps the topics of a partition together when there are twice as many", () => {
  for (const i of range(0, 1_000)) {
    for (const partitions of [1, 2, 4, 8, 16, 32]) {
      const now = partitionOf(`t${i}`, partitions * 2);
      assert.equal(now % partitions, partitionOf(`t${i}`, partitions));
    }
  }
});

Deno.test("partitionOf() lets a {tag} decide alone, as a Redis Cluster does", () => {
  const together = ["{eu}", "orders.{eu}.1", "invoices.{eu}", "{eu}{us}", "a{eu}b}", "eu"];
  assert.equal(new Set(together.map((topic) => partitionOf(topic, 64))).size, 1);
  for (const plain of ["a{}b", "a{b", "a}b{"]) {
    const spread = range(0, 200).map((i) => partitionOf(plain + i, 64));
    assert.ok(new Set(spread).size > 30, plain);
  }
});

Deno.test("partitionOf() puts what the system derives from a topic where the topic is", () => {
  for (const topic of ["jobs", "a.b.c", "x{tag}.1", "…"]) {
    const own = partitionOf(topic, 64);
    for (const derived of [`$dead.${topic}`, `$dead.$dead.${topic}`, `$inbox.${topic}`]) {
      assert.equal(partitionOf(derived, 64), own, derived);
    }
  }
});

Deno.test("partitionOfPattern() knows the partition where the literal start has a whole tag", () => {
  assert.equal(partitionOfPattern("orders.{eu}.", 16), partitionOf("orders.{eu}.x", 16));
  for (const prefix of ["", "orders.", "orders.{e", "orders.{}."]) {
    assert.equal(partitionOfPattern(prefix, 16), undefined, prefix);
    assert.equal(partitionOfPattern(prefix, 1), 0, prefix);
  }
});
