import assert from "node:assert/strict";
import { UnderWay } from "../../lib/broker/under_way.ts";
import { nextTurn } from "../../lib/broker/wait.ts";

/** Whether a promise has resolved by the end of the turn. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  promise.then(() => over = true);
  await nextTurn();
  return over;
}

Deno.test("UnderWay is settled at once where nothing is under way", async () => {
  const underWay = new UnderWay();
  assert.equal(await isOver(underWay.settled()), true);
  underWay.enter().leave();
  assert.equal(await isOver(underWay.settled()), true);
});

Deno.test("UnderWay waits for what began before, and not for what goes on beginning", async () => {
  const underWay = new UnderWay();
  const first = underWay.enter();
  const settled = underWay.settled();
  const second = underWay.enter();
  assert.equal(await isOver(settled), false);
  first.leave();
  assert.equal(await isOver(settled), true);
  second.leave();
});

Deno.test("UnderWay waits each time it is asked, also for what an earlier one still waits for", async () => {
  const underWay = new UnderWay();
  const first = underWay.enter();
  const early = underWay.settled();
  const second = underWay.enter();
  const late = underWay.settled();
  second.leave();
  assert.deepEqual([await isOver(early), await isOver(late)], [false, false]);
  first.leave();
  assert.deepEqual([await isOver(early), await isOver(late)], [true, true]);
});
