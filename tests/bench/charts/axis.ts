/** Where numbers stand along an axis. */

/** A scale and the numbers that are written beside it. */
export interface Axis {
  readonly kind: "linear" | "log";
  /** The number's place, from 0 at the low end to 1 at the high one; what is beyond an end stands there. */
  readonly at: (value: number) => number;
  /** Ascending, all of them between the ends. */
  readonly ticks: readonly number[];
}

/** How many times the smallest the largest may be until small ones can no longer be told apart on a linear scale. */
const MOST_TIMES = 30;
const TICKS = 4;

/**
 * An axis that all the numbers are on: from 0 on, or logarithmic where they are of very different sizes.
 *
 * @throws {RangeError} without any number
 */
export function axisOf(values: readonly number[]): Axis {
  if (values.length === 0) throw new RangeError("Cannot make an axis: there are no numbers");
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (!(least > 0 && most / least > MOST_TIMES)) return linearAxis(most);
  return logAxis(1 / niceAbove(1 / least), niceAbove(most));
}

/** From one number to another, both above 0, each power of ten between them a tick. */
export function logAxis(least: number, most: number): Axis {
  const [from, to] = [Math.log10(least), Math.log10(most)];
  const ticks: number[] = [];
  for (let power = Math.ceil(from - 1e-9); power <= to + 1e-9; power++) ticks.push(10 ** power);
  const at = (value: number) =>
    value <= least || to === from ? 0 : Math.min(1, (Math.log10(value) - from) / (to - from));
  return { kind: "log", at, ticks };
}

/** From 0, with a little room above the largest. */
function linearAxis(most: number): Axis {
  const step = niceAbove((most > 0 ? most : 1) / TICKS);
  const steps = Math.max(1, Math.ceil(most / step - 1e-9));
  const ticks = Array.from({ length: steps + 1 }, (_, n) => n * step);
  const at = (value: number) => Math.min(1, Math.max(0, value / (steps * step)));
  return { kind: "linear", at, ticks };
}

/** The least round number that is not below. */
function niceAbove(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 2.5, 5].find((times) => times * power >= least * (1 - 1e-9)) ?? 10);
}
