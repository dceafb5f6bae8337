/** How many of something there had been at a moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly count: number;
}

/** Samples that are kept: two minutes, at one in two seconds. */
const KEPT = 60;
/** A longer time between two samples is one in which nobody looked. */
const HOLE_MS = 6_000;

/** Adds a sample to those before; a count that fell begins anew, since the topic was deleted meanwhile. */
export function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.count < last.count) return [sample];
  return [...samples.slice(1 - KEPT), sample];
}

/** The rate between each two samples, per second; null where nobody looked. */
export function ratesOf(samples: readonly Sample[]): (number | null)[] {
  return samples.slice(1).map(({ at, count }, index) => {
    const before = samples[index];
    const ms = at - (before?.at ?? at);
    if (before === undefined || ms <= 0 || ms > HOLE_MS) return null;
    return (count - before.count) * 1_000 / ms;
  });
}

/** Draws rates as the `d` of a path in a box, newest at the right; a hole is left out. */
export function sparkPath(
  rates: readonly (number | null)[],
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const most = Math.max(1, ...rates.map((rate) => rate ?? 0));
  const step = width / (KEPT - 2);
  let isDrawing = false;
  const parts = rates.map((rate, index) => {
    if (rate === null) {
      isDrawing = false;
      return "";
    }
    const x = width - (rates.length - 1 - index) * step;
    const y = height - rate / most * height;
    const part = `${isDrawing ? "L" : "M"}${round(x)} ${round(y)}`;
    isDrawing = true;
    return part;
  });
  return parts.join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
