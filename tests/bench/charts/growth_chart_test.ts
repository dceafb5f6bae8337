import assert from "node:assert/strict";
import type { Point, Row } from "../bench.ts";
import type { Machine } from "../machine.ts";
import { sampleOf } from "../statistics.ts";
import { growthChartSvg, rowsOfGrowthChart } from "./growth_chart.ts";
import { overlappingTexts, textBoxesOf, textsOutside } from "./text_boxes.ts";
import { THEMES } from "./theme.ts";

const machine: Machine = {
  ...{ cpu: "A <CPU> & more", cores: 2, memoryGiB: 8, system: "Linux", deno: "2.9.6" },
  ...{ redis: "7.0.15", fsyncMs: 0.5, commit: "abc1234", peers: [] },
};

/** Rows of a line, from what grows to the rounds that were measured. */
function line(
  point: Pick<Point, "panel" | "along" | "line">,
  rounds: Readonly<Record<number, readonly number[]>>,
): Row[] {
  return Object.entries(rounds).map(([at, values]) => ({
    name: `${point.panel} at ${at}`,
    unit: "/s",
    runnel: sampleOf(values),
    point: { ...point, axis: `${point.along}, 64 connections`, at: Number(at) },
  }));
}

const TOPICS = { panel: "CPU time a publish, µs", along: "topics" } as const;
const rows = [
  ...line({ panel: "Deliveries a second", along: "subscribers", line: "Runnel" }, {
    ...{ 1: [1_100, 1_200, 1_300], 10: [9_000, 11_000, 12_000], 100: [70_000, 91_100, 99_000] },
    ...{ 1_000: [412_000], 10_000: [388_000] },
  }),
  ...line({ ...TOPICS, line: "Runnel" }, { 1: [82.1], 10: [50], 100: [51], 1_000: [62] }),
  ...line({ ...TOPICS, line: "Redis" }, { 1: [22], 10: [49.5], 100: [51.2], 1_000: [62] }),
  ...line({ panel: "Publishes a second", along: "topics", line: "Runnel" }, {
    ...{ 1: [8_635, 10_900], 10: [7_060, 9_683], 100: [8_120], 1_000: [8_410], 10_000: [20] },
  }),
  ...line({ panel: "Publishes a second", along: "bytes", line: "Runnel" }, {
    ...{ 100: [9_750], 1_000: [6_140], 10_000: [2_680], 100_000: [607], 1_000_000: [103] },
  }),
  ...line({ panel: "Publishes a second", along: "isolates", line: "Runnel" }, {
    ...{ 1: [31_400], 2: [54_300] },
  }),
];
const draw = (given: readonly Row[] = rows) =>
  growthChartSvg({ rows: given, machine, time: new Date("2026-01-02"), theme: THEMES.light });

Deno.test("growthChartSvg() keeps all words inside its picture, and none on top of another", () => {
  const svg = draw();
  assert.deepEqual(textsOutside(svg), []);
  assert.deepEqual(overlappingTexts(svg), []);
});

Deno.test("growthChartSvg() draws what grows in even steps of a logarithm, in a word's units", () => {
  const boxes = textBoxesOf(draw());
  const middles = ["100 B", "1 KB", "10 KB", "100 KB", "1 MB"].map((words) => {
    const box = boxes.find((one) => one.words === words);
    return box ? (box.left + box.right) / 2 : NaN;
  });
  const steps = middles.slice(1).map((middle, index) =>
    Math.round(middle - (middles[index] ?? NaN))
  );
  assert.equal(new Set(steps).size, 1, `${middles}`);
  assert.ok(steps.every((step) => step > 40), `${steps}`);
});

Deno.test("growthChartSvg() names the lines where there are several, in colours of their own", () => {
  const names = (svg: string) => textBoxesOf(svg).map(({ words }) => words);
  const both = draw(rows.filter(({ point }) => point?.panel === TOPICS.panel));
  assert.ok(names(both).includes("Runnel") && names(both).includes("Redis"));
  const colours = new Set([...both.matchAll(/fill="none" stroke="(#\w+)"/g)].map((one) => one[1]));
  assert.equal(colours.size, 2);
  const one = draw(rows.filter(({ point }) => point?.along === "bytes"));
  assert.ok(!names(one).includes("Runnel"));
});

Deno.test("growthChartSvg() draws the pale bar of a point from the lowest round to the highest", () => {
  const svg = draw(rows.filter(({ point }) => point?.along === "subscribers"));
  const lengths = [...svg.matchAll(/<path d="M[\d.]+ ([\d.]+)V([\d.]+)"/g)]
    .map(([, low, high]) => Math.round(Number(low) - Number(high)));
  assert.equal(lengths.length, 5);
  assert.ok(lengths.slice(0, 3).every((length) => length > 0), `${lengths}`);
  assert.deepEqual(lengths.slice(3), [0, 0]);
});

Deno.test("growthChartSvg() says on what and when it was measured, and is well-formed", () => {
  const svg = draw();
  for (const words of ["A &lt;CPU&gt; &amp; more", "2026-01-02", "abc1234", "Median of 1 round;"]) {
    assert.ok(svg.includes(words), words);
  }
  assert.doesNotMatch(svg.replace(/<\/?\w[^<>]*>/g, ""), /[<>]/);
});

Deno.test("growthChartSvg() draws a curve of zeros, and one of a single point", () => {
  const flat = line({ ...TOPICS, line: "Runnel" }, { 1: [0], 10: [0] });
  for (const given of [flat, flat.slice(0, 1)]) {
    const svg = draw(given);
    assert.doesNotMatch(svg, /NaN|Infinity/);
    assert.deepEqual(textsOutside(svg), []);
  }
});

Deno.test("rowsOfGrowthChart() takes the rows that are on a curve alone", () => {
  const plain: Row = { name: "publish, alone", unit: "/s", runnel: sampleOf([1]) };
  assert.deepEqual(rowsOfGrowthChart([plain, ...rows.slice(0, 1)]), rows.slice(0, 1));
});
