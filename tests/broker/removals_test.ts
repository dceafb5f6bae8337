import assert from "node:assert/strict";
import { Removals } from "../../lib/broker/removals.ts";
import { until } from "../_support/until.ts";

Deno.test("Removals removes at once and together what ends in one turn", async () => {
  const calls: string[][] = [];
  await using removals = new Removals((ids) => Promise.resolve(void calls.push([...ids])));
  for (const id of ["a", "b", "c"]) removals.add(id);
  await until(() => calls.length > 0);
  removals.add("d");
  await until(() => calls.length > 1);
  assert.deepEqual(calls, [["a", "b", "c"], ["d"]]);
});

Deno.test("Removals tries again where Redis is away, and loses none", async () => {
  const removed: string[] = [];
  let failures = 2;
  await using removals = new Removals((ids) => {
    if (failures-- > 0) return Promise.reject(new Error("away"));
    removed.push(...ids);
    return Promise.resolve();
  });
  for (let i = 0; i < 2_500; i++) removals.add(`${i}`);
  await until(() => removed.length === 2_500);
  assert.equal(new Set(removed).size, 2_500);
});

Deno.test("Removals ends though Redis stays away: what is left expires by itself", async () => {
  let tries = 0;
  const removals = new Removals(() => {
    tries++;
    return Promise.reject(new Error("away"));
  });
  removals.add("a");
  await until(() => tries === 1);
  await removals[Symbol.asyncDispose]();
  assert.ok(tries <= 2);
});
