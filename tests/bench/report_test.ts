import assert from "node:assert/strict";
import type { Row } from "./bench.ts";
import { formatReport, ratioOf, reaches, reportJson } from "./report.ts";
import { sampleOf } from "./statistics.ts";

const machine = {
  ...{ cpu: "a CPU", cores: 2, memoryGiB: 8, system: "Linux", deno: "2.9.6" },
  ...{ redis: "7.0.15", fsyncMs: 0.5, commit: "abc1234" },
};
const alone: Row = { name: "p99", unit: "ms", runnel: sampleOf([12]) };
const beside: Row = { ...alone, baselineName: "bare", baseline: sampleOf([10]) };

Deno.test("reaches() holds Runnel's own number against a limit", () => {
  const within = (limit: number, better: "higher" | "lower") =>
    reaches({ ...alone, aim: { limit, better } });
  assert.deepEqual([within(12, "lower"), within(11, "lower")], [true, false]);
  assert.deepEqual([within(12, "higher"), within(13, "higher")], [true, false]);
});

Deno.test("reaches() wants both where an aim has a ratio and a limit", () => {
  const both = (ratio: number, limit: number) =>
    reaches({ ...beside, aim: { ratio, limit, better: "lower" } });
  assert.deepEqual([both(1.2, 12), both(1.1, 12), both(1.2, 11)], [true, false, false]);
});

Deno.test("reaches() is false where a ratio is wanted of a row without a baseline", () => {
  assert.equal(reaches({ ...alone, aim: { ratio: 1, better: "lower" } }), false);
  assert.equal(reaches(alone), undefined);
});

Deno.test("a row without a baseline leaves its columns empty, and its ratio null in the file", () => {
  const row: Row = { ...alone, aim: { limit: 20, better: "lower" } };
  assert.equal(ratioOf(row), undefined);
  assert.match(
    formatReport(machine, [row]),
    /\| p99 +\| 12\.0 [^|]*\| +\| +\| +\| 20 ms reached \|/,
  );
  assert.match(JSON.stringify(reportJson(machine, [row])), /"ratio":null,"reached":true/);
});
