/** Asking several partitions at once. */

/** A list with at least one. */
export type NotEmpty<T> = readonly [T, ...T[]];

/**
 * Asks all of them; what each answered, in order.
 *
 * @throws the first failure, when all have been answered
 */
export async function allOf<P, T>(
  parts: readonly P[],
  ask: (part: P) => Promise<T>,
): Promise<NotEmpty<T>> {
  const answers = await Promise.allSettled(parts.map(ask));
  const values = answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
  return notEmpty(values);
}

/**
 * Asks all of them; what those answered that could, in order. One that is out of reach does not keep the others from
 * working.
 *
 * @throws the first failure, where none could
 */
export async function anyOf<P, T>(
  parts: readonly P[],
  ask: (part: P) => Promise<T>,
): Promise<NotEmpty<T>> {
  const answers = await Promise.allSettled(parts.map(ask));
  const values = answers.flatMap((answer) => answer.status === "fulfilled" ? [answer.value] : []);
  const failure = answers.find((answer) => answer.status === "rejected");
  if (values.length === 0 && failure !== undefined) throw failure.reason;
  return notEmpty(values);
}

function notEmpty<T>(values: readonly T[]): NotEmpty<T> {
  if (values.length === 0) throw new RangeError("Cannot ask nobody");
  // as was just seen
  return values as readonly T[] as NotEmpty<T>;
}
