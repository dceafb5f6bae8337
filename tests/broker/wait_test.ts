import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { abortable, pause, repeat } from "../../lib/broker/wait.ts";

Deno.test("pause() ends after its time and leaves nothing behind", async () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let done = false;
    const ended = pause(100, new AbortController().signal).then(() => done = true);
    await clock.tickAsync(99);
    assert.equal(done, false);
    await clock.tickAsync(1);
    await ended;
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});

Deno.test("pause() ends at once when its signal aborts, or has", async () => {
  const controller = new AbortController();
  const ended = pause(1_000_000, controller.signal);
  controller.abort();
  await ended;
  await pause(1_000_000, controller.signal);
});

Deno.test("abortable() gives what the promise gives", async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(7), signal), 7);
  await assert.rejects(abortable(Promise.reject(new Error("no")), signal), /no/);
});

Deno.test("abortable() gives up with the signal's reason, and minds no late rejection", async () => {
  for (const before of [true, false]) {
    const controller = new AbortController();
    const late = Promise.withResolvers<void>();
    if (before) controller.abort(new Error("enough"));
    const waiting = abortable(late.promise, controller.signal);
    if (!before) controller.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    // unhandled, this would end the test run
    late.reject(new Error("too late"));
    await late.promise.catch(() => {});
  }
});

Deno.test("repeat() goes on after failures, tells of each, and ends with its signal", async () => {
  const stop = new AbortController();
  const told: [unknown, number][] = [];
  let steps = 0;
  await repeat(() => {
    steps++;
    if (steps === 4) stop.abort();
    return steps === 1 ? Promise.resolve() : Promise.reject(`fault ${steps}`);
  }, { signal: stop.signal, onFailure: (error, before) => told.push([error, before]) });
  assert.deepEqual(told, [["fault 2", 0], ["fault 3", 1]]);
});
