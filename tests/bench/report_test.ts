import assert from "node:assert/strict";
import type { Row } from "./bench.ts";
import type { Machine } from "./machine.ts";
import { formatReport } from "./report.ts";
import { sampleOf } from "./statistics.ts";

const machine: Machine = {
  ...{ cpu: "A CPU", cores: 2, memoryGiB: 8, system: "Linux", deno: "2.9.6" },
  ...{ redis: "7.0.15", fsyncMs: 0.5, commit: "abc1234" },
};
const row: Row = {
  ...{ name: "deliveries", unit: "/s", baselineName: "a peer" },
  ...{ runnel: sampleOf([200]), baseline: sampleOf([100]) },
};
const loadCpu = { runnel: sampleOf([0.5]), baseline: sampleOf([0.25]) };

Deno.test("formatReport() says what the load took where that was measured", () => {
  const text = formatReport(machine, [{ ...row, loadCpu }, row]);
  assert.match(text, /\| cores of the load +\|\n/);
  assert.match(text, /\| 0\.50, baseline 0\.25 \|\n/);
});

Deno.test("formatReport() has no column for the load where nobody measured it", () => {
  assert.doesNotMatch(formatReport(machine, [row]), /cores of the load/);
});
