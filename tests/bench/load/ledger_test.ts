import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";

Deno.test("Ledger counts what is acknowledged from the end of the warm-up on", async () => {
  let now = 1_000;
  const ledger = new Ledger({ count: 6, warmUp: 2, now: () => now });
  for (let number = 0; number < 6; number++) ledger.take(number);
  assert.throws(() => ledger.result(), /0 acknowledged/);
  ledger.acknowledge(2);
  now += 500;
  ledger.acknowledge(3);
  assert.equal(ledger.complete, false);
  now += 500;
  ledger.acknowledge(1);
  await ledger.finished;
  assert.deepEqual(ledger.result(), { count: 4, seconds: 1, failures: 0 });
});

Deno.test("Ledger fails on a message handed out twice, one never put in, and one left out", async () => {
  const twice = new Ledger({ count: 2, warmUp: 0 });
  twice.take(1);
  twice.take(1);
  await assert.rejects(twice.finished, /message 1 was handed out twice/);

  const foreign = new Ledger({ count: 2, warmUp: 0 });
  foreign.take(2);
  await assert.rejects(foreign.finished, /message 2 was never put in/);

  const short = new Ledger({ count: 2, warmUp: 0 });
  short.take(0);
  short.acknowledge(2);
  await assert.rejects(short.finished, /1 of 2 messages were handed out, 2 acknowledged/);
});
