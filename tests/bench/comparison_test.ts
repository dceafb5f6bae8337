import assert from "node:assert/strict";
import { type Comparison, rowsOf } from "./comparison.ts";
import { LoadLog } from "./load_log.ts";

Deno.test("rowsOf() leaves out the row of what was not measured", () => {
  const comparison = (baseline: string): Comparison => ({
    ...{ name: `against ${baseline}`, unit: "/s", runnel: "ours", baseline },
    baselineName: baseline,
  });
  const log = new LoadLog();
  log.note("ours", 0.5);
  const results = { ours: [3, 1, 2], here: [4] };
  const rows = rowsOf([comparison("here"), comparison("missing")], results, log);
  const found = rows.map(({ name, runnel, baseline }) => [name, runnel.median, baseline?.median]);
  assert.deepEqual(found, [["against here", 2, 4]]);
  assert.equal(rows[0]?.loadCpu?.runnel.median, 0.5);
});
