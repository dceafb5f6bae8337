import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { ProbeWatch } from "../../lib/broker/probe_watch.ts";

/** Runs with a clock that moves only as told. */
function withClock(run: (clock: FakeTimers.Clock, watch: ProbeWatch) => void): void {
  const clock = FakeTimers.install({ toFake: ["performance"], now: 1_000_000 });
  try {
    clock.tick(100_000);
    const watch = new ProbeWatch({ everyMs: 4_000, timeoutMs: 1_000 });
    watch.restart();
    run(clock, watch);
  } finally {
    clock.uninstall();
  }
}

Deno.test("ProbeWatch wants a probe at once on a new link, and then every three to four seconds", () => {
  withClock((clock, watch) => {
    assert.equal(watch.next(), 1);
    watch.sent();
    watch.received(1);
    clock.tick(2_999);
    assert.equal(watch.next(), undefined);
    clock.tick(1_001);
    assert.equal(watch.next(), 2);
  });
});

Deno.test("ProbeWatch wants no further probe while one is owed", () => {
  withClock((clock, watch) => {
    watch.next();
    watch.sent();
    clock.tick(60_000);
    assert.equal(watch.next(), undefined);
  });
});

Deno.test("ProbeWatch takes a silent link that owes a probe for dead after a second", () => {
  withClock((clock, watch) => {
    watch.next();
    watch.sent();
    clock.tick(999);
    assert.equal(watch.isDead, false);
    assert.ok(watch.waitMs <= 5);
    clock.tick(1);
    assert.equal(watch.isDead, true);
    watch.restart();
    assert.equal(watch.isDead, false, "a new link owes nothing");
  });
});

Deno.test("ProbeWatch gives a link that carries frames more time, though not for ever", () => {
  withClock((clock, watch) => {
    watch.next();
    watch.sent();
    for (let ms = 0; ms < 9_500; ms += 500) {
      clock.tick(500);
      watch.heard();
      assert.equal(watch.isDead, false);
    }
    clock.tick(500);
    watch.heard();
    assert.equal(watch.isDead, true);
  });
});

Deno.test("ProbeWatch takes a probe that came back before it was told of the sending", () => {
  withClock((clock, watch) => {
    const number = watch.next() ?? assert.fail();
    watch.received(number);
    watch.sent();
    clock.tick(5_000);
    assert.equal(watch.isDead, false);
  });
});

Deno.test("ProbeWatch takes no older probe for the one that is owed", () => {
  withClock((clock, watch) => {
    watch.next();
    watch.sent();
    watch.received(1);
    clock.tick(5_000);
    watch.next();
    watch.sent();
    watch.received(1);
    clock.tick(1_000);
    assert.equal(watch.isDead, true);
  });
});
