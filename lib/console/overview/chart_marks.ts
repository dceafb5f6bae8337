/** Pixels that lie between two marks of a scale at the least, where there is room. */
const SPACE = 30;

/** Where values stand alone between holes: no line leads there, and only a point shows them. */
export function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (index: number) => typeof values[index] === "number";
  return Array.from(values, (_, index) => index).filter((index) =>
    isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1)
  );
}

/**
 * Pixels between two marks of a scale that is so many pixels long: at the most half of that. From one round number to
 * the next it is twice as much, so that there is always a mark besides 0.
 */
export function markSpace(pixels: number): number {
  return Math.min(SPACE, pixels / 2);
}
