/** What is taken of each measurement of `growth`, and the rows that it makes. */
import type { Point, Row } from "../bench.ts";
import type { Cost } from "../cost.ts";
import { sampleOf } from "../statistics.ts";

/** What a measurement found. */
export interface Usage extends Cost {
  /** Cores that making the load took; it cannot use more than about one. */
  readonly loadCores: number;
}

/** A number that is taken of a measurement. */
export interface Measure {
  readonly what: string;
  readonly unit: string;
  /** The rest of the point, where it is drawn. */
  readonly drawn?: Pick<Point, "panel" | "line">;
  readonly of: (usage: Usage, at: number) => number;
}

/** Something measured, once a round. */
export interface Measured {
  /** What it was measured with, in the words of a row. */
  readonly label: string;
  /** Its place on a curve. */
  readonly along?: Pick<Point, "along" | "axis" | "at">;
  readonly measures: readonly Measure[];
  /** What must be known to read its rows rightly. */
  readonly note?: string;
  /** One for each round. */
  readonly usages: readonly Usage[];
}

/** Messages published a second. */
export const PUBLISHED: Measure = {
  what: "publish",
  unit: "/s",
  drawn: { panel: "Publishes a second", line: "Runnel" },
  of: ({ rate }) => rate,
};

/** Data published a second; `at` is how large each message is. */
export const PUBLISHED_BYTES: Measure = {
  what: "publish, data",
  unit: "MB/s",
  drawn: { panel: "MB published a second", line: "Runnel" },
  of: ({ rate }, at) => rate * at / 1e6,
};

/** Messages that come to subscribers a second. */
export const DELIVERED: Measure = {
  what: "deliveries",
  unit: "deliveries/s",
  drawn: { panel: "Deliveries a second", line: "Runnel" },
  of: ({ deliveries }) => deliveries,
};

const PROCESSES = [["Runnel", "runnel"], ["Redis", "redis"]] as const;

/** CPU time of Runnel and of Redis for a message published. */
export const PUBLISH_CPU: readonly Measure[] = PROCESSES.map(([line, key]) => ({
  what: `publish, CPU of ${line}`,
  unit: "µs/message",
  drawn: { panel: "CPU µs a publish", line },
  of: (usage) => usage[key],
}));

/** The same for a delivery, with its share of what publishing cost. */
export const DELIVERY_CPU: readonly Measure[] = PROCESSES.map(([line, key]) => ({
  what: `deliveries, CPU of ${line}`,
  unit: "µs/delivery",
  drawn: { panel: "CPU µs a delivery", line },
  of: (usage) => usage[key] * usage.rate / usage.deliveries,
}));

/** The measures, for the table alone. */
export function undrawn(measures: readonly Measure[]): Measure[] {
  return measures.map(({ drawn: _drawn, ...measure }) => measure);
}

/** A row for each measure; what was measured with one isolate is the baseline of more. */
export function rowsOfMeasured(all: readonly Measured[]): Row[] {
  return all.flatMap(({ label, along, measures, note, usages }) =>
    measures.map((measure, index): Row => {
      const sample = (of: readonly Usage[]) =>
        sampleOf(of.map((usage) => measure.of(usage, along?.at ?? 0)));
      const base = along?.along === "isolates" && along.at > 1 && measure.drawn
        ? all.find((other) =>
          other.along?.along === "isolates" && other.along.at === 1 &&
          other.measures.includes(measure)
        )
        : undefined;
      return {
        name: `${measure.what}, ${label}`,
        unit: measure.unit,
        runnel: sample(usages),
        ...(base ? { baselineName: base.label, baseline: sample(base.usages) } : {}),
        loadCpu: { runnel: sampleOf(usages.map(({ loadCores }) => loadCores)) },
        ...(note !== undefined && index === 0 ? { note } : {}),
        ...(along && measure.drawn ? { point: { ...along, ...measure.drawn } } : {}),
      };
    })
  );
}
