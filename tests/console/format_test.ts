import assert from "node:assert/strict";
import {
  formatAge,
  formatBytes,
  formatDateTime,
  formatNumber,
  formatRate,
  formatShort,
  formatSpan,
  formatTime,
  timeOfId,
} from "../../lib/console/ui/format.ts";

const cases = <T>(format: (value: T) => string, expected: readonly (readonly [T, string])[]) => {
  for (const [value, text] of expected) assert.equal(format(value), text);
};

Deno.test("formatShort() takes three digits and a unit, and rounds into the next one", () => {
  cases(formatShort, [
    ...[[0, "0"], [0.004, "0"], [0.129, "0.13"], [7, "7"], [12.345, "12.3"], [999, "999"]] as const,
    ...[[999.7, "1K"], [1_234, "1.23K"], [45_678, "45.7K"], [999_999, "1M"]] as const,
    ...[[1e9, "1B"], [2.5e12, "2.5T"], [9e15, "9000T"], [-1_500, "-1.5K"]] as const,
  ]);
  assert.equal(formatRate(12.3), "12.3/s");
  assert.equal(formatNumber(1_234_567), "1,234,567");
});

Deno.test("formatBytes() counts as Redis does", () => {
  cases(formatBytes, [
    ...[[0, "0 B"], [1_023, "1023 B"], [1_024, "1 KB"], [1_536, "1.5 KB"]] as const,
    ...[[256 << 20, "256 MB"], [5 * 2 ** 40, "5 TB"]] as const,
  ]);
});

Deno.test("formatSpan() and formatAge() take the largest unit; what seems to come is now", () => {
  cases(formatSpan, [
    ...[[0, "0 ms"], [0.5, "0.5 ms"], [340, "340 ms"], [1_000, "1 s"], [59_999, "59 s"]] as const,
    ...[[60_000, "1 min"], [3_600_000, "1 h"], [172_800_000, "2 d"]] as const,
  ]);
  cases(formatAge, [[-5_000, "now"], [999, "now"], [1_000, "1 s ago"], [7_200_000, "2 h ago"]]);
});

Deno.test("formatTime() and formatDateTime() are of the browser's own time zone", () => {
  const date = new Date(2026, 0, 2, 3, 4, 5, 6);
  assert.equal(formatTime(date.getTime()), "03:04:05.006");
  assert.equal(formatDateTime(date.getTime()), "2026-01-02 03:04:05.006");
});

Deno.test("timeOfId() reads the time of an id, with and without its partition, and of nothing else", () => {
  assert.equal(timeOfId("1764144000123-65536"), 1_764_144_000_123);
  assert.equal(timeOfId("3.1764144000123-0"), 1_764_144_000_123);
  for (const text of ["", "12", "a-1", "1-2-3", "1-2 "]) assert.equal(timeOfId(text), undefined);
});
