import assert from "node:assert/strict";
import { LoadLog } from "./load_log.ts";

Deno.test("LoadLog notes what the load took in each round, and passes the rates on", async () => {
  const log = new LoadLog();
  const loads = [0.5, 0.75, 1];
  const things = log.things({
    runnel: () => Promise.resolve({ rate: 7, loadCpu: loads.shift() ?? 0 }),
  });
  for (let round = 0; round < 3; round++) assert.equal(await things.runnel(), 7);
  log.note("other", 0.25);
  const { loadCpu } = log.partOf("runnel", "other");
  assert.deepEqual(loadCpu?.runnel.rounds, [0.5, 0.75, 1]);
  assert.equal(loadCpu.baseline?.median, 0.25);
});

Deno.test("LoadLog leaves out what it knows nothing of", () => {
  const log = new LoadLog();
  log.note("runnel", 0.5);
  assert.equal(log.partOf("runnel", "a limit").loadCpu?.baseline, undefined);
  assert.deepEqual(log.partOf("a limit", "runnel"), {});
});
