import assert from "node:assert/strict";
import { isolateCounts } from "./growth_arms.ts";
import {
  DELIVERY_CPU,
  type Measured,
  PUBLISHED,
  PUBLISHED_BYTES,
  rowsOfMeasured,
  undrawn,
  type Usage,
} from "./growth_measures.ts";

const usage = (rate: number): Usage => ({
  ...{ rate, deliveries: 100 * rate, runnel: 200, redis: 50, cpu: 250 },
  ...{ perCommit: 4, loadCores: 0.5 },
});
const measured = (parts: Partial<Measured>): Measured => ({
  ...{ label: "10 topics", measures: [PUBLISHED], usages: [usage(10), usage(30), usage(20)] },
  ...parts,
});

Deno.test("rowsOfMeasured() gives a row for each measure, with all rounds and what the load took", () => {
  const along = { along: "bytes", axis: "data", at: 1_000_000 } as const;
  const [first, second] = rowsOfMeasured([
    measured({ along, measures: [PUBLISHED, PUBLISHED_BYTES], note: "a note" }),
  ]);
  assert.equal(first?.name, "publish, 10 topics");
  assert.deepEqual(first?.runnel.rounds, [10, 30, 20]);
  assert.equal(first?.loadCpu?.runnel.median, 0.5);
  assert.deepEqual(first?.point, { ...along, ...PUBLISHED.drawn });
  assert.deepEqual([second?.unit, second?.runnel.median], ["MB/s", 20]);
  assert.deepEqual([first?.note, second?.note], ["a note", undefined]);
});

Deno.test("rowsOfMeasured() divides what a publish costs by the deliveries that it makes", () => {
  const [runnel, redis] = rowsOfMeasured([measured({ measures: DELIVERY_CPU })]);
  assert.deepEqual([runnel?.runnel.median, redis?.runnel.median], [2, 0.5]);
});

Deno.test("rowsOfMeasured() measures several isolates against one, and nothing else", () => {
  const isolates = (at: number) =>
    measured({
      label: `${at} isolates`,
      along: { along: "isolates", axis: "isolates", at },
      usages: [usage(at)],
    });
  const rows = rowsOfMeasured([measured({}), isolates(1), isolates(2)]);
  assert.deepEqual(rows.map(({ baselineName }) => baselineName), [
    ...[undefined, undefined, "1 isolates"],
  ]);
  assert.equal(rows[2]?.baseline?.median, 1);
});

Deno.test("undrawn() keeps a measure from the curves", () => {
  const along = { along: "topics", axis: "topics", at: 10 } as const;
  const [row] = rowsOfMeasured([measured({ along, measures: undrawn([PUBLISHED]) })]);
  assert.equal(row?.point, undefined);
});

Deno.test("isolateCounts() doubles up to the number of cores, which is the last", () => {
  const counts = [1, 2, 6, 8].map((cores) => isolateCounts(cores));
  assert.deepEqual(counts, [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]);
});
