/** What of the known names a misspelt one was probably meant to be; undefined where none is near enough. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  // a slip in a short name, two or three in a long one
  let least = Math.max(1, Math.ceil(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const begun = wanted.length >= 2 && candidate.startsWith(wanted);
    const distance = begun ? 1 : editDistance(wanted, candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** How many letters must be put in, taken out, exchanged or swapped with the next to make one text the other. */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 0; i < a.length; i++) {
    const above = rows[i]!;
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const exchanged = above[j]! + (a[i] === b[j] ? 0 : 1);
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j]
        ? rows[i - 1]![j - 1]! + 1
        : Infinity;
      row.push(Math.min(exchanged, swapped, above[j + 1]! + 1, row[j]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
