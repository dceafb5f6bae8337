/** What is written of a line. */
export interface Figure {
  readonly value: number | undefined;
  /** Whether it is of an earlier second than the one that was wanted. */
  readonly isOld: boolean;
}

/**
 * A line's value in a second, or what was known last before it.
 *
 * @param at index of the second; undefined for the newest one: where somebody points at a hole, a hole is told
 */
export function figureOf(values: readonly (number | null)[], at: number | undefined): Figure {
  const exact = values[at ?? values.length - 1];
  if (typeof exact === "number") return { value: exact, isOld: false };
  if (at !== undefined) return { value: undefined, isOld: false };
  const value = values.findLast((one) => one !== null);
  return { value: value ?? undefined, isOld: value !== undefined };
}
