import assert from "node:assert/strict";
import { type Comparison, rowsOf } from "./comparison.ts";

Deno.test("rowsOf() leaves out the row of what was not measured", () => {
  const comparison = (baseline: string): Comparison => ({
    ...{ name: `against ${baseline}`, unit: "/s", runnel: "ours", baseline },
    baselineName: baseline,
  });
  const rows = rowsOf([comparison("here"), comparison("missing")], { ours: [3, 1, 2], here: [4] });
  const found = rows.map(({ name, runnel, baseline }) => [name, runnel.median, baseline?.median]);
  assert.deepEqual(found, [["against here", 2, 4]]);
});
