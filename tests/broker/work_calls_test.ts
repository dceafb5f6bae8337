import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { giveBack, refusalOf } from "../../lib/broker/group_span.ts";
import { WorkCalls } from "../../lib/broker/work_calls.ts";
import type { WorkOp, WorkResult } from "../../lib/redis/group.ts";
import { nextTurn } from "../../lib/broker/wait.ts";
import { RunnelError } from "../../lib/errors.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { ackOp, given, nothing, pullOp, ScriptedGroups } from "../_support/scripted_groups.ts";
import { failure } from "../_support/scripted_store.ts";

class Stage {
  readonly store = new ScriptedGroups();
  readonly calls: WorkCalls;

  constructor(options: { patienceMs?: number } = {}) {
    const { log } = memoryLog();
    this.calls = new WorkCalls({
      store: this.store,
      reset: () => void this.store.resets++,
      log,
      ...options,
    });
  }

  do(...ops: WorkOp[]): Promise<(WorkResult | string)[]> {
    return Promise.all(ops.map((op) => outcomeOf(this.#one(op))));
  }

  #one(op: WorkOp): Promise<WorkResult> {
    return op.kind === "pull" ? this.calls.pull(op) : this.calls.settle(op);
  }
}

/** What a call gave, or the code of its error. */
async function outcomeOf<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    assert.ok(error instanceof RunnelError);
    return error.code;
  }
}

const many = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

Deno.test("WorkCalls joins what comes in one turn, and what waits for a call, into one", async () => {
  const { store, ...stage } = new Stage();
  const go = store.hold();
  const first = [stage.calls.pull(pullOp()), stage.calls.settle(ackOp(3))];
  await nextTurn();
  assert.deepEqual(store.sizes, [2]);
  const second = many(50, () => stage.calls.pull(pullOp()));
  go();
  await Promise.all([...first, ...second]);
  assert.deepEqual(store.sizes, [2, 50]);
  assert.deepEqual(store.calls.map(({ number }) => number), [1, 2]);
  assert.deepEqual(await first[1], { kind: "settle", done: 3, unknown: [] });
});

Deno.test("WorkCalls waits after a call for the turns in which whoever was answered may ask again", async () => {
  const { store, ...stage } = new Stage();
  const clients = many(20, async () => {
    await stage.calls.pull(pullOp());
    // what a socket brings comes a turn later
    await nextTurn();
    await stage.calls.settle(ackOp());
  });
  await Promise.all(clients);
  assert.deepEqual(store.sizes, [20, 20]);
});

Deno.test("WorkCalls answers each with its own result, in whatever order they came", async () => {
  const stage = new Stage();
  stage.store.steps.push(
    () => [given(2), { kind: "settle", done: 1, unknown: ["9-9"] }, nothing()],
  );
  const results = await stage.do(pullOp({ max: 2 }), ackOp(2), pullOp());
  assert.deepEqual(
    results.map((one) =>
      typeof one === "string" ? one : one.kind === "pull" ? one.messages.length : one.unknown
    ),
    [2, ["9-9"], 0],
  );
});

Deno.test("WorkCalls keeps a call small: 200 operations, 5,000 ids, 1,000 pulled messages", async (t) => {
  const sizes = async (ops: WorkOp[]) => {
    const stage = new Stage();
    await stage.do(...ops);
    return stage.store.sizes;
  };
  await t.step("operations", async () => {
    assert.deepEqual(await sizes(many(450, () => pullOp())), [200, 200, 50]);
  });
  await t.step("ids", async () => {
    assert.deepEqual(await sizes(many(12, () => ackOp(1_000))), [5, 5, 2]);
  });
  await t.step("pulled messages", async () => {
    assert.deepEqual(await sizes(many(5, () => pullOp({ max: 400 }))), [2, 2, 1]);
  });
  await t.step("one that is larger goes alone", async () => {
    assert.deepEqual(await sizes([ackOp(1), ackOp(6_000), ackOp(1)]), [1, 1, 1]);
  });
});

Deno.test("WorkCalls refuses what goes beyond 10,000 operations or 200,000 ids that wait", async (t) => {
  const full = async (ops: WorkOp[]) => {
    const stage = new Stage();
    const go = stage.store.hold();
    const first = stage.do(pullOp());
    await nextTurn();
    const waiting = stage.do(...ops);
    const late = await Promise.race([stage.do(ackOp(1_000)), nextTurn().then(() => ["waits"])]);
    go();
    await first;
    await waiting;
    return late;
  };
  await t.step("operations", async () => {
    assert.deepEqual(await full(many(10_000, () => pullOp())), ["overloaded"]);
  });
  await t.step("ids", async () => {
    assert.deepEqual(await full(many(200, () => ackOp(1_000))), ["overloaded"]);
  });
  await t.step("neither", async () => {
    assert.deepEqual(await full(many(10, () => ackOp(1_000))), ["waits"]);
  });
});

Deno.test("WorkCalls sends a call again under its number when the reply was lost", async () => {
  const stage = new Stage();
  stage.store.steps.push(
    failure("redis_unavailable", "unknown"),
    failure("redis_unavailable", "unsent"),
    failure("redis_loading", "refused"),
  );
  assert.deepEqual(await stage.do(ackOp()), [{ kind: "settle", done: 1, unknown: [] }]);
  assert.deepEqual(stage.store.calls.map(({ number }) => number), [1, 1, 1, 1]);
  assert.deepEqual(new Set(stage.store.calls.map(({ lane }) => lane)).size, 1);
});

Deno.test("WorkCalls passes on why a call was not done, and never sends it again", async () => {
  for (const code of ["redis_unavailable", "redis_readonly", "wrong_type"] as const) {
    const stage = new Stage();
    stage.store.steps.push(failure(code, code === "redis_unavailable" ? "unsent" : "refused"));
    assert.deepEqual(await stage.do(pullOp(), ackOp()), [code, code]);
    assert.equal(stage.store.calls.length, 1);
  }
});

Deno.test("WorkCalls says outcome_unknown when nothing can be learnt in time, and drops the link", async () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const stage = new Stage();
    stage.store.hold();
    const lost = stage.do(pullOp());
    await nextTurn();
    const waited = stage.do(ackOp());
    await clock.tickAsync(1_800);
    assert.deepEqual(await lost, ["outcome_unknown"]);
    assert.deepEqual(await waited, ["redis_timeout"], "none of it was sent");
    assert.equal(stage.store.resets, 1);
    assert.deepEqual(await stage.do(ackOp()), [{ kind: "settle", done: 1, unknown: [] }]);
  } finally {
    clock.uninstall();
  }
});

Deno.test("WorkCalls refuses what waited too long rather than send what it cannot wait for", async () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const stage = new Stage();
    for (let i = 0; i < 10; i++) {
      stage.store.steps.push(async ({ ops }) => {
        await new Promise((resolve) => setTimeout(resolve, 550));
        return ops.map(() => nothing());
      });
    }
    const outcomes = stage.do(...many(1_000, () => pullOp()));
    for (let i = 0; i < 160; i++) {
      await clock.tickAsync(25);
      await nextTurn();
    }
    const codes = (await outcomes).map((one) => typeof one === "string" ? one : "done");
    assert.deepEqual(new Set(codes.slice(0, 600)), new Set(["done"]));
    assert.deepEqual(new Set(codes.slice(600)), new Set(["overloaded"]));
    assert.equal(stage.store.resets, 0, "no call was given up half-way");
  } finally {
    clock.uninstall();
  }
});

Deno.test("WorkCalls answers what it took before it ends, and takes nothing more", async () => {
  const stage = new Stage();
  const go = stage.store.hold();
  const taken = stage.do(pullOp(), ...many(300, () => ackOp()));
  const ended = stage.calls[Symbol.asyncDispose]();
  assert.deepEqual(await stage.do(pullOp()), ["shutting_down"]);
  go();
  await ended;
  assert.ok((await taken).every((one) => typeof one !== "string"));
});

Deno.test("giveBack() nacks by the pull's own lease, and never rejects", async () => {
  const stage = new Stage();
  const name = { sub: "jobs", group: "g" };
  await giveBack(stage.calls, name, nothing());
  await giveBack(stage.calls, name, given(2));
  assert.deepEqual(stage.store.calls.flatMap(({ ops }) => ops), [
    { kind: "nack", name, ids: ["1-0", "1-1"], lease: "7", delayMs: 0 },
  ]);
  stage.store.steps.push(failure("redis_unavailable", "unsent"));
  await giveBack(stage.calls, name, given(1));
});

Deno.test("refusalOf() names the error of each problem", () => {
  assert.equal(refusalOf("attempt").code, "stale_attempt");
  assert.equal(refusalOf("deleting").code, "group_deleting");
});
