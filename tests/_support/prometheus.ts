/** A strict reader of the text format of Prometheus, version 0.0.4. */
import assert from "node:assert/strict";

/** One line of values. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its values. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`);
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/**
 * Reads a page, and fails where it is not as it must be: each metric has HELP and TYPE before its values and stands there
 * once, no series comes twice, counters end in `_total`, and the buckets of a histogram rise to its count.
 */
export function readPrometheus(text: string): Map<string, Family> {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const families = new Map<string, Family>();
  let help: { name: string; text: string } | undefined;
  let family: Family | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const head = line.match(new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`));
    if (head?.[1] === "HELP") {
      help = { name: head[2]!, text: head[3]! };
      family = undefined;
    } else if (head?.[1] === "TYPE") {
      assert.equal(help?.name, head[2], `HELP stands before TYPE: ${line}`);
      assert.ok(!families.has(head[2]!), `${head[2]} comes once`);
      assert.match(head[3]!, /^(counter|gauge|histogram)$/);
      family = { name: head[2]!, help: help!.text, type: head[3]!, samples: [] };
      families.set(family.name, family);
    } else {
      assert.ok(family, `a value without a metric: ${line}`);
      family.samples.push(readSample(line));
    }
  }
  for (const one of families.values()) check(one);
  return families;
}

function readSample(line: string): Sample {
  const match = line.match(SAMPLE);
  assert.ok(match, `not a value: ${line}`);
  assert.match(match[3]!, NUMBER, line);
  const pairs = [...(match[2] ?? "").matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)];
  const labels = Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
  assert.equal(Object.keys(labels).length, pairs.length, `a label comes twice: ${line}`);
  return { name: match[1]!, labels, value: Number(match[3]!.replace("Inf", "Infinity")) };
}

function check({ name, type, samples }: Family): void {
  const series = samples.map((sample) => `${sample.name} ${JSON.stringify(sample.labels)}`);
  assert.equal(new Set(series).size, series.length, `${name}: a series comes twice`);
  if (type === "counter") assert.match(name, /_total$/);
  else assert.doesNotMatch(name, /_total$/);
  for (const sample of samples) {
    if (type !== "gauge") assert.ok(sample.value >= 0, `${sample.name} is not below 0`);
    const own = type === "histogram"
      ? sample.name.replace(/_(bucket|sum|count)$/, "")
      : sample.name;
    assert.equal(own, name, `${sample.name} is under ${name}`);
  }
  if (type === "histogram") checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) => Number(le.replace("Inf", "Infinity")));
    assert.deepEqual(bounds, bounds.toSorted((a, b) => a - b), `${name} ${labels}: bounds rise`);
    assert.equal(bounds.at(-1), Infinity);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(counts, counts.toSorted((a, b) => a - b), `${name} ${labels}: counts rise`);
    const count = group.filter((sample) => sample.name === `${name}_count`);
    assert.deepEqual(count.map(({ value }) => value), [counts.at(-1)]);
    assert.equal(group.filter((sample) => sample.name === `${name}_sum`).length, 1);
  }
}

/** The value of the series with these labels, others apart; 0 where there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
  assert.ok(family, `there is ${name}`);
  const matching = family.samples.filter((sample) =>
    sample.name === name &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}
