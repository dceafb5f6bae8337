import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import type { Outcome } from "../../lib/broker/commit_plan.ts";
import { Committer } from "../../lib/broker/committer.ts";
import type { PreparedMessage } from "../../lib/broker/publish_input.ts";
import { nextTurn } from "../../lib/broker/wait.ts";
import { RunnelError } from "../../lib/errors.ts";
import type { Commit, CommitReply } from "../../lib/redis/store.ts";
import { NO_GROUPS } from "../_support/no_groups.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { failure, ScriptedStore } from "../_support/scripted_store.ts";

function message(topic: string, data: unknown = null): PreparedMessage {
  return { topic, body: JSON.stringify({ data }), options: "", ephemeral: false };
}

const many = (count: number, topic = "t") =>
  Array.from({ length: count }, (_, i) => message(topic, i));

function codesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((one) => one instanceof RunnelError ? one.code : "stored");
}

/** A committer on a scripted store, with calls that the test lets go. */
class Stage {
  readonly store = new ScriptedStore();
  readonly committer: Committer;

  constructor(options: { patienceMs?: number } = {}) {
    this.committer = new Committer({
      store: this.store,
      log: memoryLog().log,
      index: NO_GROUPS,
      ...options,
    });
  }

  /** Makes the next call wait for the returned function. */
  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.store.steps.push(async (commit: Commit): Promise<CommitReply> => {
      await gate.promise;
      return this.store.reply(commit);
    });
    return gate.resolve;
  }

  publish(...messages: PreparedMessage[]): Promise<readonly Outcome[]> {
    return this.committer.store(messages);
  }
}

/** Runs with a clock that moves only as told. */
async function withClock(run: (clock: FakeTimers.Clock) => Promise<void>): Promise<void> {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    await run(clock);
  } finally {
    clock.uninstall();
  }
}

Deno.test("Committer joins what comes in one turn, and what waits for a call, into one", async () => {
  const stage = new Stage();
  const go = stage.hold();
  const first = [stage.publish(message("a", 1)), stage.publish(message("b", 2))];
  await nextTurn();
  assert.deepEqual(stage.store.sizes, [2]);
  const second = Array.from({ length: 20 }, (_, i) => stage.publish(message("a", i)));
  go();
  const outcomes = await Promise.all([...first, ...second]);
  assert.deepEqual(stage.store.sizes, [2, 20]);
  assert.ok(outcomes.flat().every((one) => !(one instanceof RunnelError)));
  assert.deepEqual(stage.store.commits.map(({ number }) => number), [1, 2]);
});

Deno.test("Committer sorts a call by topic and answers in the order of the messages", async () => {
  const stage = new Stage();
  const topics = ["b", "a", "b", "c", "a"];
  const outcomes = await stage.publish(...topics.map((topic, i) => message(topic, i)));
  const [commit] = stage.store.commits;
  assert.deepEqual(
    commit?.topics.map((
      { topic, messages },
    ) => [topic, messages.map(({ body }) => JSON.parse(body).data)]),
    [["a", [1, 4]], ["b", [0, 2]], ["c", [3]]],
  );
  const seqs = outcomes.map((one) =>
    one instanceof RunnelError ? -1 : Number(one.id?.split("-")[1])
  );
  assert.deepEqual(seqs.map((seq) => seq - 65_536), [2, 0, 3, 4, 1]);
});

Deno.test("Committer maps outcomes aside to their messages", async () => {
  const stage = new Stage();
  stage.store.steps.push((commit) => ({
    ...stage.store.reply(commit),
    firsts: ["5-65536", "5-65540"],
    special: [[0, "dup", "1-65536"], [2, "conflict", ""], [3, "type", ""]],
  }));
  const outcomes = await stage.publish(...["b", "a", "a", "a", "b"].map((topic) => message(topic)));
  assert.deepEqual(outcomes.map((one) => one instanceof RunnelError ? one.code : one), [
    "wrong_type",
    { id: "1-65536", duplicate: true },
    { id: "5-65536", duplicate: false },
    "idempotency_conflict",
    { id: "5-65540", duplicate: false },
  ]);
});

Deno.test("Committer splits a large array into calls of 500 messages or 256 KiB", async (t) => {
  await t.step("by count", async () => {
    const stage = new Stage();
    const outcomes = await stage.publish(...many(1_201));
    assert.deepEqual(stage.store.sizes, [500, 500, 201]);
    assert.equal(codesOf(outcomes).filter((code) => code === "stored").length, 1_201);
  });
  await t.step("by bytes", async () => {
    const stage = new Stage();
    const large = Array.from({ length: 7 }, () => message("t", "x".repeat(100_000)));
    await stage.publish(...large);
    assert.deepEqual(stage.store.sizes, [2, 2, 2, 1]);
  });
  await t.step("a message that is larger goes alone", async () => {
    const stage = new Stage();
    await stage.publish(message("t", 1), message("t", "x".repeat(500_000)), message("t", 2));
    assert.deepEqual(stage.store.sizes, [1, 1, 1]);
  });
});

Deno.test("Committer makes a call that is full before those of the last have their answers", async () => {
  const stage = new Stage();
  const [goFirst, goSecond] = [stage.hold(), stage.hold()];
  let answered = 0;
  const first = stage.publish(message("t")).then(() => answered = stage.store.commits.length);
  await nextTurn();
  const second = stage.publish(...many(500));
  goFirst();
  await first;
  assert.equal(answered, 2, "calls under way at the first answer");
  goSecond();
  assert.equal(codesOf(await second).filter((code) => code === "stored").length, 500);
});

Deno.test("Committer makes no call for a full queue behind one that found no Redis", async () => {
  const stage = new Stage();
  stage.store.steps.push(failure("redis_unavailable", "unsent"));
  const outcomes = await Promise.all([stage.publish(message("t")), stage.publish(...many(500))]);
  assert.deepEqual(new Set(outcomes.flatMap(codesOf)), new Set(["redis_unavailable"]));
  assert.equal(stage.store.commits.length, 1);
});

Deno.test("Committer keeps the order of an array and of those who wait", async () => {
  const stage = new Stage();
  const go = stage.hold();
  const waiting = [stage.publish(message("t", -1))];
  await nextTurn();
  for (let i = 0; i < 1_300; i++) waiting.push(stage.publish(message("t", i)));
  go();
  await Promise.all(waiting);
  const data = stage.store.commits.flatMap(({ topics }) =>
    topics.flatMap(({ messages }) => messages.map(({ body }) => JSON.parse(body).data))
  );
  assert.deepEqual(data, Array.from({ length: 1_301 }, (_, i) => i - 1));
  assert.ok(stage.store.sizes.every((size) => size <= 500));
});

Deno.test("Committer gives an atomic batch a call of its own, whatever waits before and after", async () => {
  const stage = new Stage();
  const all = [
    stage.publish(message("a")),
    stage.committer.store(many(800), { atomic: true }),
    stage.committer.store(many(2), { atomic: true }),
    stage.publish(message("b")),
  ];
  await Promise.all(all);
  assert.deepEqual(stage.store.commits.map(({ atomic }) => atomic), [false, true, true, false]);
  assert.deepEqual(stage.store.sizes, [1, 800, 2, 1]);
});

Deno.test("Committer answers an empty array with nothing, and asks nobody", async () => {
  const stage = new Stage();
  assert.deepEqual(await stage.publish(), []);
  assert.deepEqual(await stage.committer.store([], { atomic: true }), []);
  assert.deepEqual(stage.store.commits, []);
});

Deno.test("Committer refuses what goes beyond 50,000 messages or 64 MiB that wait", async (t) => {
  await t.step("messages", async () => {
    const stage = new Stage();
    const go = stage.hold();
    const first = stage.publish(message("t"));
    await nextTurn();
    const fits = stage.publish(...many(50_000));
    const late = await stage.publish(message("t"));
    assert.deepEqual(codesOf(late), ["overloaded"]);
    go();
    assert.ok(
      codesOf((await Promise.all([first, fits])).flat()).every((code) => code === "stored"),
    );
    assert.deepEqual(codesOf(await stage.publish(message("t"))), ["stored"], "room again");
  });
  await t.step("bytes", async () => {
    const stage = new Stage();
    const go = stage.hold();
    const first = stage.publish(message("t"));
    await nextTurn();
    const large = message("t", "x".repeat(1 << 20));
    const outcomes = stage.publish(...Array.from({ length: 70 }, () => large));
    go();
    await first;
    const codes = codesOf(await outcomes);
    assert.deepEqual([codes.filter((code) => code === "stored").length, codes.at(-1)], [
      63,
      "overloaded",
    ]);
  });
});

Deno.test("Committer sends a call again under its number when the reply was lost", async () => {
  const stage = new Stage();
  stage.store.steps.push(
    failure("redis_unavailable", "unknown"),
    failure("redis_unavailable", "unsent"),
    failure("redis_loading", "refused"),
  );
  const outcomes = await stage.publish(message("t", 1));
  assert.deepEqual(codesOf(outcomes), ["stored"]);
  assert.deepEqual(stage.store.commits.map(({ number }) => number), [1, 1, 1, 1]);
  assert.equal(new Set(stage.store.commits.map(({ lane, number }) => `${lane} ${number}`)).size, 1);
});

Deno.test("Committer passes on why a call was not stored, and never sends it again", async (t) => {
  const cases = [
    failure("redis_unavailable", "unsent"),
    failure("redis_out_of_memory", "refused"),
    failure("redis_readonly", "refused"),
    failure("stale_primary", "refused"),
  ];
  for (const reason of cases) {
    await t.step(`${reason.code} ${reason.outcome}`, async () => {
      const stage = new Stage();
      stage.store.steps.push(reason);
      assert.deepEqual(codesOf(await stage.publish(message("t"))), [reason.code]);
      assert.equal(stage.store.commits.length, 1);
    });
  }
});

Deno.test("Committer says outcome_unknown when nothing can be learnt in time", async () => {
  await withClock(async (clock) => {
    const stage = new Stage();
    stage.store.steps.push(
      ...Array.from({ length: 200 }, () => failure("redis_unavailable", "unknown")),
    );
    const outcomes = stage.publish(message("t"));
    await clock.tickAsync(2_000);
    const [outcome] = await outcomes;
    assert.ok(outcome instanceof RunnelError);
    assert.deepEqual([outcome.code, outcome.retryable], ["outcome_unknown", true]);
    assert.ok(stage.store.commits.length > 10 && stage.store.commits.length < 200);
  });
});

Deno.test("Committer says outcome_unknown where a lost call is refused for good", async () => {
  const stage = new Stage();
  stage.store.steps.push(failure("redis_timeout", "unknown"), failure("redis_auth", "refused"));
  assert.deepEqual(codesOf(await stage.publish(message("t"))), ["outcome_unknown"]);
});

Deno.test("Committer drops the lane's link when a call takes too long, and goes on with the next", async () => {
  await withClock(async (clock) => {
    const stage = new Stage();
    stage.hold();
    const outcomes = stage.publish(message("t"));
    await clock.tickAsync(1_799);
    assert.equal(stage.store.resets, 0);
    await clock.tickAsync(1);
    assert.deepEqual(codesOf(await outcomes), ["outcome_unknown"]);
    assert.equal(stage.store.resets, 1);
    assert.deepEqual(codesOf(await stage.publish(message("t"))), ["stored"]);
    assert.deepEqual(stage.store.commits.map(({ number }) => number), [1, 2]);
  });
});

Deno.test("Committer answers all who wait behind a call that found no Redis", async (t) => {
  const cases: [name: string, reason: Parameters<typeof failure>, code: string][] = [
    ["unsent", ["redis_unavailable", "unsent"], "redis_unavailable"],
    ["refused by the password", ["redis_auth", "unsent"], "redis_auth"],
  ];
  for (const [name, reason, code] of cases) {
    await t.step(name, async () => {
      const stage = new Stage();
      const gate = Promise.withResolvers<void>();
      stage.store.steps.push(async () => {
        await gate.promise;
        throw failure(...reason);
      });
      const first = stage.publish(message("t"));
      await Promise.resolve();
      await Promise.resolve();
      const second = stage.publish(...many(600));
      gate.resolve();
      assert.deepEqual(
        new Set(codesOf((await Promise.all([first, second])).flat())),
        new Set([code]),
      );
      assert.equal(stage.store.commits.length, 1);
      assert.deepEqual(codesOf(await stage.publish(message("t"))), ["stored"]);
    });
  }
});

Deno.test("Committer lets those behind a refused call have their own", async () => {
  const stage = new Stage();
  const gate = Promise.withResolvers<void>();
  stage.store.steps.push(async () => {
    await gate.promise;
    throw failure("redis_out_of_memory", "refused");
  });
  const first = stage.publish(message("t"));
  await nextTurn();
  const second = stage.publish(message("t"));
  gate.resolve();
  assert.deepEqual([codesOf(await first), codesOf(await second)], [["redis_out_of_memory"], [
    "stored",
  ]]);
});

Deno.test("Committer refuses what waited too long rather than send what it cannot wait for", async () => {
  await withClock(async (clock) => {
    const stage = new Stage();
    // each call takes so long that the fourth would have no time left for its answer
    for (let i = 0; i < 10; i++) {
      stage.store.steps.push(async (commit) => {
        await new Promise((resolve) => setTimeout(resolve, 550));
        return stage.store.reply(commit);
      });
    }
    const outcomes = stage.publish(...many(2_500));
    for (let i = 0; i < 80; i++) {
      await clock.tickAsync(50);
      await nextTurn();
    }
    const codes = codesOf(await outcomes);
    assert.deepEqual(new Set(codes.slice(0, 1_500)), new Set(["stored"]));
    assert.deepEqual(new Set(codes.slice(1_500)), new Set(["overloaded"]));
    assert.equal(stage.store.resets, 0, "no call was given up half-way");
  });
});

Deno.test("Committer answers with an error what a store answers that makes no sense", async () => {
  await withClock(async (clock) => {
    const stage = new Stage();
    stage.store.steps.push((commit) => ({ ...stage.store.reply(commit), firsts: ["nonsense"] }));
    const outcomes = stage.publish(message("t"));
    await clock.tickAsync(2_000);
    assert.ok((await outcomes)[0] instanceof RunnelError);
    assert.deepEqual(codesOf(await stage.publish(message("t"))), ["stored"]);
  });
});

Deno.test("Committer finishes what it took before it ends, and takes nothing more", async () => {
  const stage = new Stage();
  const go = stage.hold();
  const taken = [stage.publish(message("t")), stage.publish(...many(600))];
  const ended = stage.committer[Symbol.asyncDispose]();
  assert.deepEqual(codesOf(await stage.publish(message("t"))), ["shutting_down"]);
  go();
  await ended;
  assert.ok(codesOf((await Promise.all(taken)).flat()).every((code) => code === "stored"));
});
