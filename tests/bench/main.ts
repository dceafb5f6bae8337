/** `deno task bench [name...]`: measures Runnel beside what it is built on, and prints a table with the ratios. */
import { parseArgs } from "node:util";
import type { Bench, Row } from "./bench.ts";
import { authBench } from "./benches/auth_bench.ts";
import { batchBench } from "./benches/batch_bench.ts";
import { coldStartBench } from "./benches/cold_start_bench.ts";
import { fanOutBench } from "./benches/fan_out_bench.ts";
import { growthBench } from "./benches/growth_bench.ts";
import { latencyBench } from "./benches/latency_bench.ts";
import { laterBench } from "./benches/later_bench.ts";
import { memoryBench } from "./benches/memory_bench.ts";
import { patternsBench } from "./benches/patterns_bench.ts";
import { publishBench } from "./benches/publish_bench.ts";
import { replayBench } from "./benches/replay_bench.ts";
import { replicatedBench } from "./benches/replicated_bench.ts";
import { requestBench } from "./benches/request_bench.ts";
import { shardsBench } from "./benches/shards_bench.ts";
import { slowReaderBench } from "./benches/slowreader_bench.ts";
import { stormBench } from "./benches/storm_bench.ts";
import { topicsBench } from "./benches/topics_bench.ts";
import { workBench } from "./benches/work_bench.ts";
import { chartSvg, rowsOfChart } from "./charts/chart.ts";
import { growthChartSvg, rowsOfGrowthChart } from "./charts/growth_chart.ts";
import type { Chart } from "./charts/picture.ts";
import { THEMES } from "./charts/theme.ts";
import { describeMachine } from "./machine.ts";
import { formatReport, reportJson } from "./report.ts";

const BENCHES: readonly Bench[] = [
  publishBench,
  authBench,
  batchBench,
  fanOutBench,
  latencyBench,
  coldStartBench,
  memoryBench,
  workBench("always"),
  workBench("everysec"),
  requestBench,
  laterBench,
  shardsBench,
  replicatedBench,
  topicsBench,
  patternsBench,
  replayBench,
  stormBench,
  slowReaderBench,
  growthBench,
];

const HELP =
  `deno task bench [name...] [--rounds N] [--seconds N] [--json FILE] [--chart PATH [--note TEXT]]

Measures Runnel on a Redis of its own beside what it is built on, all on this machine and in one run.
${BENCHES.map(({ name, about }) => `  ${name.padEnd(15)}${about}`).join("\n")}

  --rounds N    how often each thing is measured, in turn (default 3)
  --seconds N   how long one measurement takes, after its warm-up (default 3)
  --json FILE   where the numbers go (default bench.json)
  --chart PATH  draws what has a baseline or an aim as PATH-light.svg and PATH-dark.svg, and curves as
                PATH-growth-light.svg and PATH-growth-dark.svg; those of the README are
                deno task bench publish fanout growth --chart lib/docs/pictures/bench
  --note TEXT   stands below them, such as "on a busy machine"`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = readOptions(args);
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (values.help || unknown.length > 0) {
    const complaint = unknown.map((name) => `There is no benchmark called ${name}\n\n`).join("");
    console.log(complaint + HELP);
    return unknown.length > 0 ? 2 : 0;
  }
  const rows = await measure(positionals, {
    rounds: wholeNumber("--rounds", values.rounds),
    seconds: wholeNumber("--seconds", values.seconds),
  });
  const machine = await describeMachine();
  await Deno.writeTextFile(values.json, JSON.stringify(reportJson(machine, rows), null, 2) + "\n");
  console.log(`\n${formatReport(machine, rows)}\n\nThe numbers are in ${values.json}`);
  if (values.chart !== undefined) {
    await drawCharts(values.chart, { machine, rows, note: values.note });
  }
  return 0;
}

async function drawCharts(
  path: string,
  parts: Pick<Chart, "machine" | "rows" | "note">,
): Promise<void> {
  const time = new Date();
  const pictures = [
    { stem: path, draw: chartSvg, rows: rowsOfChart(parts.rows) },
    { stem: `${path}-growth`, draw: growthChartSvg, rows: rowsOfGrowthChart(parts.rows) },
  ];
  for (const { stem, draw, rows } of pictures) {
    if (rows.length === 0) continue;
    for (const [name, theme] of Object.entries(THEMES)) {
      await Deno.writeTextFile(`${stem}-${name}.svg`, draw({ ...parts, rows, time, theme }));
    }
    console.log(`Drawn as ${stem}-light.svg and ${stem}-dark.svg`);
  }
}

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "3" },
        json: { type: "string", default: "bench.json" },
        chart: { type: "string" },
        note: { type: "string" },
      },
    });
  } catch (error) {
    // the one kind that it throws, in words for whoever typed it
    if (!(error instanceof TypeError)) throw error;
    throw new RangeError(error.message);
  }
}

async function measure(
  names: readonly string[],
  options: { rounds: number; seconds: number },
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bench of BENCHES) {
    if (names.length > 0 && !names.includes(bench.name)) continue;
    console.log(`${bench.name}: ${bench.about}`);
    rows.push(...await bench.run({ ...options, say: (text) => console.log(`  ${text}`) }));
  }
  return rows;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`Cannot use ${name} ${text}: it must be a whole number above 0`);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
