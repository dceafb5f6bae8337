/** What a benchmark is, and what it reports. */
import type { Sample } from "./statistics.ts";

/** One line of the table: a number beside the number it is measured against, from the same run, or beside a limit. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly runnel: Sample;
  /** Whose number `runnel` is: not Runnel's where one baseline stands beside another. @default "Runnel" */
  readonly subject?: string;
  /** Absent, with {@link baseline}, where the aim is a limit and there is nothing to compare with. */
  readonly baselineName?: string;
  readonly baseline?: Sample;
  readonly aim?: Aim;
  /** Cores that making the load took while each of the two was measured. */
  readonly loadCpu?: { readonly runnel: Sample; readonly baseline?: Sample };
  /** Where it stands on a curve, if it does. */
  readonly point?: Point;
  /** What must be known to read the line rightly. */
  readonly note?: string;
}

/** Where a row stands on a curve. */
export interface Point {
  /** The heading of the panel in which it is drawn, in which all rows have one unit. */
  readonly panel: string;
  /** Whose number it is, where a panel has several lines. */
  readonly line: string;
  /** What grows. */
  readonly along: "subscribers" | "topics" | "bytes" | "isolates";
  /** The same in the words that stand below the axis. */
  readonly axis: string;
  readonly at: number;
}

/** What is wanted: of the ratio, of Runnel's own number, or of both; and whether more or less is better. */
export interface Aim {
  readonly ratio?: number;
  /** In the row's unit. */
  readonly limit?: number;
  readonly better: "higher" | "lower";
}

/** Options of a run. */
export interface BenchOptions {
  /** How often each thing is measured; the things take turns. */
  readonly rounds: number;
  /** Seconds of one measurement, after its warm-up. */
  readonly seconds: number;
  readonly say: (text: string) => void;
}

/** A named set of measurements. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(options: BenchOptions): Promise<Row[]>;
}

/** What takes turns: a measurement under each name. */
export type Things<Name extends string = string> = Record<Name, () => Promise<number>>;

/**
 * Measures each thing once a round, in turn, so that a machine that slows down slows them all; every other round in the
 * opposite order, so that none always comes first.
 */
export async function takeTurns<Name extends string>(
  { rounds, say }: BenchOptions,
  things: Readonly<Things<Name>>,
): Promise<Record<Name, number[]>> {
  // Object.keys gives strings; the record's keys are exactly the names.
  const names = Object.keys(things) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = 1; round <= rounds; round++) {
    for (const name of round % 2 === 1 ? names : names.toReversed()) {
      const value = await things[name]();
      results[name].push(value);
      say(`round ${round}/${rounds}  ${name}: ${Math.round(value * 1000) / 1000}`);
    }
  }
  return results;
}
