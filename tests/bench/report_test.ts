import assert from "node:assert/strict";
import type { Aim, Row } from "./bench.ts";
import { formatReport, ratioOf, reaches, reportJson } from "./report.ts";
import { sampleOf } from "./statistics.ts";

const row = (aim: Aim): Row => ({
  ...{ name: "p99", unit: "ms", baselineName: "bare", aim },
  ...{ runnel: sampleOf([4]), baseline: sampleOf([2]) },
});
const machine = {
  ...{ cpu: "A CPU", cores: 2, memoryGiB: 8, system: "Linux", deno: "2.9.6", redis: "7.0.15" },
  ...{ fsyncMs: 0.5, commit: "abc1234", peers: ["a peer 1.2"] },
};

Deno.test("reaches() compares the ratio with a ratio, and Runnel's own number with a limit", () => {
  const better = "lower";
  const aims: Aim[] = [{ ratio: 2, better }, { ratio: 1.9, better }, { limit: 4, better }];
  assert.deepEqual(aims.map((aim) => reaches(row(aim))), [true, false, true]);
  assert.equal(reaches(row({ limit: 3.9, better })), false);
  assert.equal(reaches(row({ limit: 4.1, better: "higher" })), false);
});

Deno.test("formatReport() names the peers, and says what was wanted in its unit", () => {
  const text = formatReport(machine, [
    row({ limit: 5, better: "lower" }),
    row({ ratio: 3, better: "higher" }),
  ]);
  for (const part of ["a peer 1.2", "≤ 5.00 ms reached", "≥ 3 MISSED"]) {
    assert.ok(text.includes(part), part);
  }
});

Deno.test("formatReport() says whose number it is where it is not Runnel's", () => {
  const plain = row({ limit: 5, better: "lower" });
  assert.match(formatReport(machine, [{ ...plain, subject: "bare" }]), /\| bare: 4\.00 \(/);
  assert.match(formatReport(machine, [plain]), /\| 4\.00 \(/);
});

Deno.test("formatReport() says what the load took where that was measured", () => {
  const loadCpu = { runnel: sampleOf([0.5]), baseline: sampleOf([0.25]) };
  const plain = row({ limit: 5, better: "lower" });
  const text = formatReport(machine, [{ ...plain, loadCpu }, plain]);
  assert.match(text, /\| cores of the load +\|\n/);
  assert.match(text, /\| 0\.50, baseline 0\.25 \|\n/);
  assert.doesNotMatch(formatReport(machine, [plain]), /cores of the load/);
  const single = { ...plain, loadCpu: { runnel: sampleOf([0.5]) } };
  assert.match(formatReport(machine, [single]), /\| 0\.50 +\|\n?$/);
});

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
    /\| p99 +\| 12\.0 [^|]*\| +\| +\| +\| ≤ 20\.0 ms reached \|/,
  );
  assert.match(JSON.stringify(reportJson(machine, [row])), /"ratio":null,"reached":true/);
});
