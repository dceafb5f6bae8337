import assert from "node:assert/strict";
import { SerialTask } from "../../lib/broker/serial_task.ts";
import { until } from "../_support/until.ts";

Deno.test("SerialTask takes steps that never overlap, and one after each wake", async () => {
  let steps = 0;
  let running = 0;
  await using task = new SerialTask({
    step: async () => {
      assert.equal(++running, 1);
      await Promise.resolve();
      running--;
      steps++;
      return false;
    },
    onFailure: (error) => assert.fail(String(error)),
    waitMs: () => 60_000,
  });
  assert.equal(steps, 0, "it waits for the first wake");
  for (let i = 1; i <= 5; i++) {
    task.wake();
    await until(() => steps >= i);
  }
});

Deno.test("SerialTask goes on at once where there is more to do, and after a pause where a step failed", async () => {
  const told: unknown[] = [];
  let steps = 0;
  await using task = new SerialTask({
    step: () => {
      steps++;
      return steps === 2 ? Promise.reject(new Error("second")) : Promise.resolve(steps < 5);
    },
    onFailure: (error) => told.push(error),
    waitMs: () => 60_000,
  });
  task.wake();
  await until(() => steps === 5);
  assert.deepEqual(told.map(String), ["Error: second"]);
});

Deno.test("SerialTask ends with the step under way, and takes none after it", async () => {
  const gate = Promise.withResolvers<void>();
  let steps = 0;
  const task = new SerialTask({
    step: async () => {
      steps++;
      await gate.promise;
      return true;
    },
    onFailure: () => {},
    waitMs: () => 0,
  });
  task.wake();
  const ended = task[Symbol.asyncDispose]();
  gate.resolve();
  await ended;
  task.wake();
  assert.equal(steps, 1);
});
