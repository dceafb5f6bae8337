import assert from "node:assert/strict";
import fc from "fast-check";
import { ServerClock } from "../../lib/console/server_clock.ts";

/** What an answer tells whose server is `ahead` by so many milliseconds. */
function sampleAt(ms: number, { ahead, way = 10 }: { ahead: number; way?: number }) {
  const server = ms + ahead;
  return { sent: ms - way, received: ms + way, date: server - server % 1_000 };
}

Deno.test("ServerClock trusts the browser's clock until an answer says otherwise, and where none does", () => {
  const clock = new ServerClock();
  assert.equal(clock.ahead, 0);
  for (let i = 0; i < 100; i++) clock.hear(sampleAt(1e12 + i * 1_370, { ahead: 0 }));
  assert.equal(clock.ahead, 0);
});

Deno.test("ServerClock finds out how far ahead the server is, better than the second it tells", () => {
  fc.assert(fc.property(fc.integer({ min: -7_200_000, max: 7_200_000 }), (ahead) => {
    const clock = new ServerClock();
    clock.hear(sampleAt(1e12, { ahead }));
    assert.ok(Math.abs(clock.ahead - ahead) <= 1_020, `${clock.ahead} is not ${ahead}`);
    for (let i = 0; i < 50; i++) clock.hear(sampleAt(1e12 + i * 2_137, { ahead }));
    assert.ok(Math.abs(clock.ahead - ahead) <= 100, `${clock.ahead} is not ${ahead}`);
  }));
});

Deno.test("ServerClock begins anew when one of the clocks is set", () => {
  const clock = new ServerClock();
  for (let i = 0; i < 50; i++) clock.hear(sampleAt(1e12 + i * 2_137, { ahead: 0 }));
  clock.hear(sampleAt(1e12 + 3_600_000, { ahead: -3_600_000 }));
  assert.ok(Math.abs(clock.ahead + 3_600_000) <= 1_020);
  assert.ok(Math.abs(clock.now() - (Date.now() - 3_600_000)) <= 1_100);
});
