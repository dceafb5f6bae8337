const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,15}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)$/;

/** Reads `90s`, `10m`, `2 h`, `7d` or `250ms`, in milliseconds; undefined where it is none, such as a bare number. */
export function readDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (match === null) return undefined;
  // the expression has no other units
  const ms = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Writes milliseconds so that {@link readDuration} gives them back, as short as can be. */
export function writeDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms >= UNITS[unit] && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
