import assert from "node:assert/strict";
import { count, messageCount, progressLine, size } from "../../lib/cli/progress.ts";

const half = { bytes: 50_000_000, totalBytes: 100_000_000, messages: 250_000, elapsedMs: 5_000 };

Deno.test("progressLine() shows share, bytes, messages, rate and time left beside a bar", () => {
  const line = progressLine(half, 120);
  assert.match(
    line,
    /^\[█{15}░{15}\] 50 % {2}50\.0 MB of 100\.0 MB {2}250,000 messages {2}50,000\/s {2}5 s left$/,
  );
});

Deno.test("progressLine() never is wider than the screen", () => {
  for (let columns = 1; columns < 150; columns++) {
    assert.ok(progressLine(half, columns).length <= columns, `${columns} columns`);
  }
});

Deno.test("progressLine() shows no bar, share or time left where the length is not known", () => {
  const line = progressLine({ ...half, totalBytes: undefined }, 120);
  assert.equal(line, "50.0 MB  250,000 messages  50,000/s");
});

Deno.test("progressLine() is sane at the very start, for an empty file and past the end", () => {
  const start = progressLine({ bytes: 0, totalBytes: 10, messages: 0, elapsedMs: 0 }, 0);
  assert.equal(start, "0 %  0 B of 10 B  0 messages  0/s");
  const empty = progressLine({ bytes: 0, totalBytes: 0, messages: 0, elapsedMs: 1 }, 0);
  assert.doesNotMatch(empty, /NaN|Infinity/);
  const grown = progressLine({ ...half, bytes: 200_000_000 }, 0);
  assert.match(grown, /^100 %.* 0 s left$/);
});

Deno.test("progressLine() gives long waits in minutes and hours", () => {
  const slow = { bytes: 1, totalBytes: 101, messages: 1 };
  assert.match(progressLine({ ...slow, elapsedMs: 1_000 }, 0), /1 min 40 s left$/);
  assert.match(progressLine({ ...slow, elapsedMs: 60_000 }, 0), /1 h 40 min left$/);
});

Deno.test("size() and count() write numbers for people", () => {
  assert.equal(size(999), "999 B");
  assert.equal(size(1_500), "1.5 kB");
  assert.equal(size(200_000_000), "200.0 MB");
  assert.equal(count(1234567.8), "1,234,568");
});

Deno.test("messageCount() has a singular", () => {
  assert.deepEqual([0, 1, 1999].map(messageCount), ["0 messages", "1 message", "1,999 messages"]);
});
