/** Numbers as the pictures tell them. */

/** A number in as few characters as say it: `8.21`, `412`, `31,400`. */
export function formatCount(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  // three digits are more than such a measurement is worth
  const rounded = value >= 1_000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A number as short as it can be: `0.01`, `25`, `2.5k`, `10M`. */
export function formatShort(value: number): string {
  const short = (divided: number, suffix: string) => `${Number(divided.toPrecision(3))}${suffix}`;
  if (value >= 1e6) return short(value / 1e6, "M");
  if (value >= 1e3) return short(value / 1e3, "k");
  return short(value, "");
}
