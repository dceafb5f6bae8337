const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** How long ago something was, for people: `now`, `5s ago`, `3m ago`, or `in 59m` where clocks differ. */
export function ageOf(ms: number): string {
  const distance = Math.abs(ms);
  const unit = UNITS.find((one) => distance >= one.ms);
  if (unit === undefined) return "now";
  const text = `${Math.floor(distance / unit.ms)}${unit.name}`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}
