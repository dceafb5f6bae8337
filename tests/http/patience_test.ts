import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import FakeTimers from "@sinonjs/fake-timers";
import { Patience } from "../../lib/http/patience.ts";

/** A patience, and a clock that moves only as told. */
function setUp() {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const late = () => new Error("late");
  return { clock, late, patience: new Patience(), [Symbol.dispose]: () => clock.uninstall() };
}

/** Time begins to count with the end of the turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("Patience passes on what came in time, good or bad, and leaves no timer", async () => {
  using parts = setUp();
  const { clock, late, patience } = parts;
  assert.equal(await patience.within(Promise.resolve(1), { ms: 10, late }), 1);
  const failing = patience.within(Promise.reject(new TypeError("own")), { ms: 10, late });
  await assert.rejects(failing, TypeError);
  await clock.tickAsync(0);
  assert.equal(clock.countTimers(), 0);
});

Deno.test("Patience gives up on each at its own time, with one timer for all", async () => {
  using parts = setUp();
  const { clock, late, patience } = parts;
  const over: number[] = [];
  for (const ms of [30, 10, 20, 20]) {
    patience.within(new Promise(() => {}), { ms, late }).catch(() => over.push(ms));
  }
  await turn();
  assert.equal(clock.countTimers(), 1);
  await clock.tickAsync(9);
  assert.deepEqual(over, []);
  await clock.tickAsync(1);
  assert.deepEqual(over, [10]);
  await clock.tickAsync(10);
  assert.deepEqual(over, [10, 20, 20]);
  await clock.tickAsync(10);
  assert.deepEqual(over, [10, 20, 20, 30]);
  assert.equal(clock.countTimers(), 0);
});

Deno.test("Patience does not mind what comes too late", async () => {
  using parts = setUp();
  const { clock, late, patience } = parts;
  const { promise, reject } = Promise.withResolvers();
  const waiting = assert.rejects(patience.within(promise, { ms: 10, late }), /late/);
  await turn();
  await clock.tickAsync(10);
  await waiting;
  reject(new Error("much later"));
  await clock.tickAsync(0);
});

Deno.test("Patience makes no timer for what is there within the turn", async () => {
  using parts = setUp();
  const { clock, late, patience } = parts;
  const answers = Promise.all(
    [1, 2, 3].map((n) => patience.within(Promise.resolve(n), { ms: 10, late })),
  );
  assert.deepEqual(await answers, [1, 2, 3]);
  await turn();
  assert.equal(clock.countTimers(), 0);
});

Deno.test("Patience that waits already gives what comes later its own time", async () => {
  using parts = setUp();
  const { clock, late, patience } = parts;
  const over: string[] = [];
  const wait = (name: string, ms: number) =>
    patience.within(new Promise(() => {}), { ms, late }).catch(() => over.push(name));
  wait("long", 100);
  await turn();
  await clock.tickAsync(50);
  wait("short", 10);
  await turn();
  await clock.tickAsync(10);
  assert.deepEqual(over, ["short"]);
  await clock.tickAsync(40);
  assert.deepEqual(over, ["short", "long"]);
});
