import assert from "node:assert/strict";
import type { Row } from "../bench.ts";
import type { Machine } from "../machine.ts";
import { sampleOf } from "../statistics.ts";
import { chartSvg, rowsOfChart } from "./chart.ts";
import { overlappingTexts, textsOutside } from "./text_boxes.ts";
import { THEMES } from "./theme.ts";

const machine: Machine = {
  ...{ cpu: "A <CPU> & more", cores: 2, memoryGiB: 8, system: "Linux", deno: "2.9.6" },
  ...{ redis: "7.0.15", fsyncMs: 0.5, commit: "abc1234", peers: [] },
};
const row = (name: string, unit: string, runnel: number[], baseline: number[]): Row => ({
  ...{ name, unit, baselineName: "JSON echo" },
  ...{ runnel: sampleOf(runnel), baseline: sampleOf(baseline) },
});
const rows = [
  row("publish, always", "/s", [10_000, 12_000, 14_000], [40_000]),
  row("publish, everysec", "/s", [20_000], [40_000]),
  row("deliveries", "deliveries/s", [500_000], [1_000_000]),
];
const draw = (given = rows) =>
  chartSvg({ rows: given, machine, time: new Date("2026-01-02T03:04:05Z"), theme: THEMES.light });

/** The widths of the bars of a colour, in order. */
function widths(svg: string, fill: string): number[] {
  const found = svg.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*fill="(#\w+)"/g);
  return [...found].filter((one) => one[2] === fill).map((one) => Number(one[1]));
}

Deno.test("chartSvg() draws each unit on a scale of its own, in proportion", () => {
  const svg = draw();
  const ours = widths(svg, THEMES.light.runnel);
  const theirs = widths(svg, THEMES.light.baseline);
  assert.equal(ours.length, 3);
  const shares = ours.map((width, index) => Math.round(100 * width / (theirs[index] ?? 0)));
  assert.deepEqual(shares, [30, 50, 50]);
});

Deno.test("chartSvg() keeps everything inside its picture, however long a label is", () => {
  const name = "a program with quite a long name, 64 connections, everysec";
  const long = rows.map((one) => ({ ...one, baselineName: name }));
  for (const svg of [draw(), draw(long)]) {
    assert.deepEqual(textsOutside(svg), []);
    assert.deepEqual(overlappingTexts(svg), []);
    assert.ok(widths(svg, THEMES.light.baseline).every((width) => width > 0 && width < 768));
  }
});

Deno.test("chartSvg() draws a number of Runnel once, with all that it was measured against", () => {
  const [publish] = rows;
  assert.ok(publish);
  const other = { ...publish, baselineName: "redis-py", baseline: sampleOf([20_000]) };
  const svg = draw([publish, rows[1] ?? publish, other]);
  assert.equal(widths(svg, THEMES.light.runnel).length, 2);
  assert.equal(widths(svg, THEMES.light.baseline).length, 3);
  const order = ["publish, always", "JSON echo", "redis-py", "publish, everysec"];
  const places = order.map((words) => svg.indexOf(words, svg.indexOf("</title>")));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
});

Deno.test("rowsOfChart() leaves out curves, what is not Runnel's, and what nothing is compared with", () => {
  const [publish] = rows;
  assert.ok(publish);
  const alone: Row = { name: "alone", unit: "/s", runnel: sampleOf([1]) };
  const limited: Row = { ...alone, aim: { limit: 2, better: "lower" } };
  const point = { panel: "", axis: "", line: "Runnel", along: "topics", at: 1 } as const;
  const others: Row[] = [alone, { ...publish, point }, { ...publish, subject: "bare publisher" }];
  assert.deepEqual(rowsOfChart([publish, ...others, limited]), [publish, limited]);
});

Deno.test("chartSvg() says what was measured, on what and when, and is well-formed", () => {
  const svg = draw();
  const says = ["12,000  Runnel", "A &lt;CPU&gt; &amp; more", "2026-01-02", "abc1234"];
  for (const text of says) assert.ok(svg.includes(text), text);
  assert.doesNotMatch(svg.replace(/<\/?\w[^<>]*>/g, ""), /[<>]/);
  assert.match(svg, /Median of 1 round;/);
  const time = new Date();
  const noted = chartSvg({ rows, machine, time, theme: THEMES.dark, note: "on a <busy> machine" });
  assert.ok(noted.includes("on a &lt;busy&gt; machine"));
});

Deno.test("chartSvg() draws nothing that was measured as nothing", () => {
  assert.deepEqual(widths(draw([row("none", "ms", [0], [0])]), THEMES.light.runnel), [0]);
});
