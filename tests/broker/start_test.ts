import assert from "node:assert/strict";
import { LAST_MOST, parseStart } from "../../lib/broker/start.ts";
import { parseCursor } from "../../lib/codec/cursor.ts";
import { RunnelError } from "../../lib/errors.ts";

const parse = (text: string) => parseStart(text, "?since");

Deno.test("parseStart() reads each form of since", () => {
  assert.deepEqual(parse("latest"), { kind: "latest" });
  assert.deepEqual(parse("earliest"), { kind: "earliest" });
  assert.deepEqual(parse("last:0"), { kind: "last", count: 0 });
  assert.deepEqual(parse(`last:${LAST_MOST}`), { kind: "last", count: LAST_MOST });
  for (const text of ["0-0", "1700000000000-65537", "0.1-1~1.2-2~4"]) {
    assert.deepEqual(parse(text), { kind: "cursor", cursor: parseCursor(text) });
  }
});

Deno.test("parseStart() reads durations in every unit", () => {
  const ms = { "250ms": 250, "10s": 10_000, "10m": 600_000, "2h": 7_200_000, "7d": 604_800_000 };
  for (const [text, expected] of Object.entries({ ...ms, "0s": 0 })) {
    assert.deepEqual(parse(text), { kind: "ago", ms: expected });
  }
});

Deno.test("parseStart() reads ISO times, as UTC where they name no zone", () => {
  const times: Record<string, number> = {
    "2026-01-02": Date.UTC(2026, 0, 2),
    "2026-01-02T03:04Z": Date.UTC(2026, 0, 2, 3, 4),
    "2026-01-02T03:04:05Z": Date.UTC(2026, 0, 2, 3, 4, 5),
    "2026-01-02T03:04:05.678Z": Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    "2026-01-02T03:04:05.678912345Z": Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    "2026-01-02T03:04:05+02:00": Date.UTC(2026, 0, 2, 1, 4, 5),
    "2026-01-02T03:04:05": Date.UTC(2026, 0, 2, 3, 4, 5),
    "2026-01-02T03:04": Date.UTC(2026, 0, 2, 3, 4),
    "2999-01-01T00:00:00Z": Date.UTC(2999, 0, 1),
  };
  for (const [text, ms] of Object.entries(times)) {
    assert.deepEqual(parse(text), { kind: "time", ms }, text);
  }
});

Deno.test("parseStart() refuses everything else and points at where it came from", () => {
  const bad = [
    "",
    " ",
    "yesterday",
    "LATEST",
    "last:",
    "last:-1",
    `last:${LAST_MOST + 1}`,
    "10",
    "10 m",
    "-5m",
    "1.5h",
    "10w",
  ];
  const times = [
    "2026",
    "2026-13-01",
    "2026-01-02T25:00Z",
    "2026-01-02 03:04",
    "1969-12-31",
    "02.01.2026",
  ];
  const cursors = [
    "1",
    "1-",
    "-1",
    "1-2-3",
    "a-b",
    "1-9007199254740992",
    "1234567890123456-1",
    "1e3-1",
    " 1-1",
    "１-1",
  ];
  for (const text of [...bad, ...times, ...cursors, "0.1-1~1.2-2~99"]) {
    assert.throws(() => parse(text), (error: unknown) => {
      assert.ok(error instanceof RunnelError, text);
      assert.equal(error.code, "invalid_cursor", text);
      assert.deepEqual(error.errors.map(({ pointer }) => pointer), ["?since"]);
      return true;
    }, text);
  }
});

Deno.test("parseStart() refuses a cursor of a generation that no primary can have reached", () => {
  const seconds = Date.now() / 1_000 - Date.UTC(2026, 0, 1) / 1_000;
  const cursor = (generation: number) => `1-${Math.floor(generation) * 65_536}`;
  assert.equal(parse(cursor(seconds * 128)).kind, "cursor");
  assert.throws(() => parse(cursor((seconds + 2 * 86_400) * 128)), { code: "invalid_cursor" });
});
