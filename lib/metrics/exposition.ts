/** Writes what is counted for Prometheus. Only who is asked for it loads this file: the library takes its time. */
import { Counter, Gauge, Histogram as PromHistogram, Registry } from "prom-client";
import { BOUNDS, type Histogram } from "./histogram.ts";

/** Values of labels by their names. */
type Labels = Readonly<Record<string, string>>;

/** A value, and what it is of. */
export type Row<T> = readonly [labels: Labels, value: T];

/** Names and says what a metric is. */
export interface MetricHead {
  /** With its unit, and `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  /** @default none */
  readonly labels?: readonly string[];
}

/** Buckets that are told of, in milliseconds: three to a decade. */
const TOLD = BOUNDS.map((_, i) => i).filter((i) => [0, 4, 7].includes(i % 10));

/** A page of metrics in the text format of Prometheus, version 0.0.4. */
export class Exposition {
  readonly #registry = new Registry();

  /** The media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds a counter. */
  counter({ name, help, labels = [] }: MetricHead, rows: readonly Row<number>[]): void {
    const metric = new Counter({ name, help, labelNames: labels, registers: [this.#registry] });
    for (const [of, value] of rows) metric.inc(of, value);
  }

  /** Adds a gauge; what is not known has no row. */
  gauge({ name, help, labels = [] }: MetricHead, rows: readonly Row<number>[]): void {
    const metric = new Gauge({ name, help, labelNames: labels, registers: [this.#registry] });
    // one without labels would stand at 0
    if (rows.length === 0 && labels.length === 0) metric.remove();
    for (const [of, value] of rows) metric.set(of, value);
  }

  /** Adds a histogram in seconds; those below `leastMs` are told of together. */
  histogram(
    { name, help, labels = [] }: MetricHead,
    rows: readonly Row<Histogram>[],
    { leastMs = 0 }: { leastMs?: number } = {},
  ): void {
    const told = TOLD.filter((i) => (BOUNDS[i] ?? 0) >= leastMs);
    const metric = new Snapshots(
      { name, help, labelNames: labels, buckets: told.map(secondsAt), registers: [] },
      rows.flatMap(([of, histogram]) => valuesOf(name, { of, histogram, told })),
    );
    this.#registry.registerMetric(metric);
  }

  /** The page. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

type PromValue = Awaited<ReturnType<PromHistogram<string>["get"]>>["values"][number];

type PromOptions = ConstructorParameters<typeof PromHistogram<string>>[0];

/** A histogram whose buckets were filled elsewhere. */
class Snapshots extends PromHistogram<string> {
  readonly #head: { readonly name: string; readonly help: string };
  readonly #values: PromValue[];

  constructor(options: PromOptions, values: PromValue[]) {
    super(options);
    this.#head = options;
    this.#values = values;
  }

  // what the registry asks for where it is there; the declarations of the library do not have it
  getForPromString() {
    const { name, help } = this.#head;
    return Promise.resolve({ name, help, type: "histogram", values: this.#values });
  }
}

function secondsAt(index: number): number {
  return Number(((BOUNDS[index] ?? 0) / 1_000).toPrecision(6));
}

function valuesOf(
  name: string,
  { of, histogram, told }: { of: Labels; histogram: Histogram; told: readonly number[] },
): PromValue[] {
  const values: PromValue[] = [];
  const row = (what: string, value: number, labels: Record<string, string | number> = of) =>
    values.push({ metricName: `${name}_${what}`, labels, value });
  let below = 0, next = 0;
  for (const index of told) {
    for (; next <= index; next++) below += histogram.counts[next] ?? 0;
    row("bucket", below, { ...of, le: secondsAt(index) });
  }
  row("bucket", histogram.count, { ...of, le: "+Inf" });
  row("sum", histogram.sum / 1_000);
  row("count", histogram.count);
  return values;
}
