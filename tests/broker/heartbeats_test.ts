import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { Heartbeats } from "../../lib/broker/heartbeats.ts";

/** Runs with a clock that moves only as told. */
function withClock(run: (clock: FakeTimers.Clock) => void): void {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    run(clock);
  } finally {
    clock.uninstall();
  }
}

/** Counts its beats. */
class Counter {
  beats = 0;

  beat(): void {
    this.beats++;
  }
}

Deno.test("Heartbeats beat once an interval for each, at whatever moment it came", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 1_600 });
    const counters: Counter[] = [];
    for (let i = 0; i < 40; i++) {
      const counter = new Counter();
      counters.push(counter);
      heartbeats.add(counter);
      clock.tick(37);
    }
    const before = counters.map(({ beats }) => beats);
    clock.tick(16_000);
    assert.deepEqual(
      counters.map(({ beats }, i) => beats - (before[i] ?? 0)),
      counters.map(() => 10),
    );
  });
});

Deno.test("Heartbeats spread over the interval those who come over time", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 1_600 });
    const times: number[] = [];
    for (let i = 0; i < 16; i++) {
      heartbeats.add({ beat: () => times.push(clock.now) });
      clock.tick(100);
    }
    times.length = 0;
    clock.tick(1_600);
    assert.equal(new Set(times).size, 16);
  });
});

Deno.test("Heartbeats spread over the interval those who come all at once", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 1_600 });
    const times: number[] = [];
    for (let i = 0; i < 1_600; i++) heartbeats.add({ beat: () => times.push(clock.now) });
    clock.tick(1_600);
    assert.equal(times.length, 1_600);
    const most = Math.max(
      ...Map.groupBy(times, (time) => time).values().map(({ length }) => length),
    );
    assert.ok(most <= 10, `${most} of 1,600 at once`);
  });
});

Deno.test("Heartbeats wake the process for slots that hold somebody alone", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 15_000 });
    const counters = Array.from({ length: 3 }, () => new Counter());
    for (const counter of counters) {
      heartbeats.add(counter);
      clock.tick(700);
    }
    let wakes = 0;
    for (const end = clock.now + 150_000; clock.now < end; wakes++) clock.next();
    assert.ok(wakes <= 31, `${wakes} wakes for 30 beats`);
    assert.deepEqual(counters.map(({ beats }) => beats >= 10), [true, true, true]);
  });
});

Deno.test("Heartbeats beat in time for one that comes while they wait for another", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 100 });
    const counters = Array.from({ length: 100 }, () => new Counter());
    for (const counter of counters) heartbeats.add(counter);
    clock.tick(100);
    assert.deepEqual(counters.map(({ beats }) => beats), counters.map(() => 1));
  });
});

Deno.test("Heartbeats beat once for each after the process stood still for many intervals", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 1_600 });
    const counters = Array.from({ length: 320 }, () => new Counter());
    for (const counter of counters) heartbeats.add(counter);
    clock.jump(16_000);
    assert.deepEqual(counters.map(({ beats }) => beats), counters.map(() => 1));
    clock.tick(1_600);
    assert.deepEqual(counters.map(({ beats }) => beats), counters.map(() => 2));
  });
});

Deno.test("Heartbeats beat no more for one that has left, and stop their timer with the last", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 160 });
    const [stays, goes] = [new Counter(), new Counter()];
    const leave = heartbeats.add(stays);
    const go = heartbeats.add(goes);
    go();
    go();
    clock.tick(1_600);
    assert.deepEqual([stays.beats, goes.beats], [10, 0]);
    leave();
    assert.equal(clock.countTimers(), 0);
    heartbeats.add(goes);
    clock.tick(160);
    assert.equal(goes.beats, 1);
  });
});

Deno.test("Heartbeats let one leave while it beats", () => {
  withClock((clock) => {
    using heartbeats = new Heartbeats({ intervalMs: 160 });
    const rest = new Counter();
    const leave = heartbeats.add({ beat: () => leave() });
    heartbeats.add(rest);
    clock.tick(1_600);
    assert.equal(rest.beats, 10);
  });
});
