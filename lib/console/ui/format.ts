/** How numbers, sizes, spans and times are written everywhere in the console. */

const KILO = 1_000;
const UNITS = ["", "K", "M", "B", "T"];
const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];
const BYTES_STEP = 1_024;
const DIGITS = 3;

/** A number in full, as `1,234,567`. */
export function formatNumber(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}

/** A number in at most four characters and a unit, as `1.23M`. */
export function formatShort(value: number): string {
  return scaled(value, { step: KILO, units: UNITS, space: "" });
}

/** A rate, as `12.3/s`. */
export function formatRate(perSecond: number): string {
  return `${formatShort(perSecond)}/s`;
}

/** A size, as `1.5 MB`; a megabyte is 1,048,576 bytes, as in Redis. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, { step: BYTES_STEP, units: BYTE_UNITS, space: " " });
}

function scaled(
  value: number,
  { step, units, space }: { step: number; units: readonly string[]; space: string },
): string {
  let unit = 0;
  let rest = value;
  // what rounds to 1,000 of one unit is 1 of the next
  while (Math.abs(rest) >= step - 0.5 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  return `${digits(rest)}${space}${units[unit]}`.trimEnd();
}

function digits(value: number): string {
  const whole = Math.trunc(Math.abs(value)).toString().length;
  return value.toLocaleString("en", {
    maximumFractionDigits: Math.abs(value) < 0.005 ? 0 : Math.max(DIGITS - whole, 0),
    useGrouping: false,
  });
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]] as const;

/** A span of milliseconds in its largest unit, as `340 ms`, `12 s` or `3 h`. */
export function formatSpan(ms: number): string {
  const span = SPANS.find(([length]) => ms >= length);
  if (span === undefined) return `${digits(Math.max(ms, 0))} ms`;
  return `${Math.floor(ms / span[0])} ${span[1]}`;
}

/** How long ago something was, as `12 s ago`; what is less than a second ago, or seems to come, is `now`. */
export function formatAge(ms: number): string {
  return ms < SECOND ? "now" : `${formatSpan(ms)} ago`;
}

/** A time of day in the browser's own time zone, with milliseconds, as `14:03:22.120`. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const day = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return `${day}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A date with its time of day, in the browser's own time zone, as `2026-11-26 14:03:22.120`. */
export function formatDateTime(ms: number): string {
  const date = new Date(ms);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${parts.map((part) => String(part).padStart(2, "0")).join("-")} ${formatTime(ms)}`;
}

/** When a message got its id, in milliseconds since 1970; undefined for what is no id. */
export function timeOfId(id: string): number | undefined {
  const ms = /^(?:\d+\.)?(\d+)-\d+$/.exec(id)?.[1];
  return ms === undefined ? undefined : Number(ms);
}
