import assert from "node:assert/strict";
import { Recheck } from "../../lib/broker/recheck.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { until } from "../_support/until.ts";

Deno.test("Recheck looks each up once, a few in a call, one call at a time", async () => {
  const calls: number[] = [];
  let running = 0;
  const checked = new Set<number>();
  await using recheck = new Recheck<number>({
    check: async (some) => {
      assert.equal(++running, 1);
      calls.push(some.length);
      await Promise.resolve();
      for (const one of some) checked.add(one);
      running--;
    },
    isOpen: () => true,
    log: memoryLog().log,
  });
  recheck.add(Array.from({ length: 120 }, (_, i) => i));
  recheck.add([1, 2, 3]);
  await until(() => checked.size === 120);
  assert.deepEqual(calls, [50, 50, 20]);
});

Deno.test("Recheck tries again what failed, but for those that nobody waits for any more", async () => {
  const open = new Set(["stays", "goes"]);
  const checked: string[] = [];
  let failures = 1;
  await using recheck = new Recheck<string>({
    check: (some) => {
      if (failures-- > 0) {
        open.delete("goes");
        return Promise.reject(new Error("away"));
      }
      return Promise.resolve(void checked.push(...some));
    },
    isOpen: (one) => open.has(one),
    log: memoryLog().log,
  });
  recheck.add(["stays", "goes", "forgotten"]);
  recheck.forget("forgotten");
  await until(() => checked.length > 0);
  assert.deepEqual(checked, ["stays"]);
});

Deno.test("Recheck looks again at one that is added while it is being looked up", async () => {
  const gate = Promise.withResolvers<void>();
  let checks = 0;
  await using recheck = new Recheck<string>({
    check: async () => {
      checks++;
      await gate.promise;
    },
    isOpen: () => true,
    log: memoryLog().log,
  });
  recheck.add(["a"]);
  await until(() => checks === 1);
  recheck.add(["a"]);
  gate.resolve();
  await until(() => checks === 2);
});
