import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { GroupIndex } from "../../lib/broker/group_index.ts";
import type { InboxListener } from "../../lib/broker/inbox.ts";
import { Scheduler } from "../../lib/broker/scheduler.ts";
import type { FireResult } from "../../lib/redis/schedule_store.ts";
import type { Stamp } from "../../lib/redis/stamp.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { failure } from "../_support/scripted_store.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** A schedule in memory, on a clock of its own, and a feed that says what the test says. */
class Plan {
  /** When messages are due. */
  due: number[] = [];
  /** When they were published. */
  readonly fired: number[] = [];
  readonly calls: string[] = [];
  readonly stamps: Stamp[] = [];
  /** Redis's clock less ours. */
  ahead = 0;
  /** How far ahead the store takes it to be. */
  believed = 0;
  down = false;
  aCall = 200;
  listener: InboxListener | undefined;
  left = false;

  readonly schedule = {
    head: () => this.#call("head", () => this.#next),
    fire: (stamp: Stamp) =>
      this.#call("fire", (): FireResult => {
        this.stamps.push(stamp);
        const due = this.due.filter((at) => at <= this.#time).slice(0, this.aCall);
        this.due = this.due.slice(due.length);
        this.fired.push(...due.map(() => this.#time));
        const next = this.#next;
        return { fired: due.length, next, more: next !== undefined && next <= this.#time };
      }),
    cancel: () => Promise.resolve(false),
  };

  get now(): number {
    return Date.now() + this.believed;
  }

  position() {
    return this.#call("position", () => this.believed = this.ahead);
  }

  attend(listener: InboxListener): () => void {
    this.listener = listener;
    return () => this.left = true;
  }

  resetLane(): void {}

  add(at: number): void {
    this.due.push(at);
    this.due.sort((a, b) => a - b);
  }

  count(call: string): number {
    return this.calls.filter((one) => one === call).length;
  }

  get #time(): number {
    return Date.now() + this.ahead;
  }

  get #next(): number | undefined {
    return this.due[0];
  }

  #call<T>(name: string, act: () => T): Promise<T> {
    this.calls.push(name);
    return this.down
      ? Promise.reject(failure("redis_unavailable", "unsent"))
      : Promise.resolve().then(act);
  }
}

interface Scene {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  /** Lets milliseconds pass. */
  pass(ms: number): Promise<void>;
}

/** Runs a scheduler on a plan, in time that the test makes pass. */
async function play(act: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = FakeTimers.install({
    now: 1_000_000,
    toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
  });
  const plan = new Plan();
  const scheduler = new Scheduler({
    // the scheduler asks for nothing else of what these are
    store: plan as never,
    feed: plan,
    log: memoryLog().log,
    index: new GroupIndex({ patterns: () => assert.fail(), adopt: () => assert.fail() }),
  });
  try {
    await act({ plan, scheduler, pass: async (ms) => void await clock.tickAsync(ms) });
    await scheduler[Symbol.asyncDispose]();
    assert.equal(clock.countTimers(), 0, "nothing is left behind");
  } finally {
    clock.uninstall();
  }
}

Deno.test("Scheduler publishes each message when it is due on Redis's clock", async () => {
  for (const ahead of [0, 5_000, -5_000]) {
    await play(async ({ plan, scheduler, pass }) => {
      Object.assign(plan, { ahead, believed: ahead });
      const times = [40, 1_000, 1_500, 9_000, 60_000].map((ms) => Date.now() + ahead + ms);
      for (const at of times) plan.add(at);
      scheduler.start();
      await pass(61_000);
      for (const [i, at] of plan.fired.entries()) {
        assert.ok(at - (times[i] ?? 0) <= 10, `${at} is after ${times[i]}`);
      }
      assert.equal(plan.fired.length, times.length);
    });
  }
});

Deno.test("Scheduler asks seldom while nothing is due, and never calls for what is far", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    plan.add(Date.now() + 365 * 86_400_000);
    scheduler.start();
    await pass(60_000);
    assert.equal(plan.count("fire"), 0);
    assert.ok(plan.count("head") <= 21, `${plan.count("head")} looks in a minute`);
  });
});

Deno.test("Scheduler hears of a message that is due before those it knows, and of one while it looks", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    plan.add(Date.now() + 50_000);
    scheduler.start();
    await pass(100);
    const heard = Date.now() + 70;
    plan.add(heard);
    plan.listener?.onLater?.(heard);
    await pass(85);
    assert.deepEqual(plan.fired.length, 1);
    const own = Date.now() + 30;
    plan.add(own);
    scheduler.expect(own);
    await pass(45);
    assert.deepEqual(plan.fired.length, 2);
  });
});

Deno.test("Scheduler looks at once when the feed's link is back, and by itself where no word comes", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    scheduler.start();
    await pass(100);
    plan.add(Date.now());
    plan.listener?.onOnline?.();
    await pass(15);
    assert.equal(plan.fired.length, 1);
    plan.add(Date.now());
    await pass(15);
    assert.equal(plan.fired.length, 1, "nobody said a word");
    await pass(3_000);
    assert.equal(plan.fired.length, 2);
  });
});

Deno.test("Scheduler calls again at once while more is due, and pauses between what trickles in", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    for (let i = 0; i < 10_000; i++) plan.add(Date.now());
    scheduler.start();
    scheduler.expect(0);
    await pass(20);
    assert.equal(plan.fired.length, 10_000);
    const calls = plan.count("fire");
    assert.ok(calls <= 52, `${calls} calls`);
    for (let i = 0; i < 1_000; i++) plan.add(Date.now() + i);
    scheduler.expect(0);
    await pass(1_020);
    assert.equal(plan.fired.length, 11_000);
    const trickle = plan.count("fire") - calls;
    assert.ok(trickle <= 105, `${trickle} calls for a thousand messages in a second`);
  });
});

Deno.test("Scheduler numbers its calls, each higher than the one before", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    plan.aCall = 1;
    for (let i = 0; i < 5; i++) plan.add(Date.now());
    scheduler.start();
    scheduler.expect(0);
    await pass(100);
    const numbers = plan.stamps.map(({ number }) => number);
    assert.deepEqual(numbers.slice(0, 5), [1, 2, 3, 4, 5]);
    assert.equal(new Set(plan.stamps.map(({ lane }) => lane)).size, 1);
  });
});

Deno.test("Scheduler backs off while Redis is away, and goes on when it is back", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    plan.down = true;
    plan.add(Date.now());
    scheduler.start();
    await pass(60_000);
    assert.ok(plan.calls.length < 250, `${plan.calls.length} calls in a minute`);
    plan.down = false;
    await pass(1_600);
    assert.equal(plan.fired.length, 1);
  });
});

Deno.test("Scheduler asks for Redis's time where Redis leaves what it takes for due", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    Object.assign(plan, { ahead: -2_000, believed: 0 });
    plan.add(Date.now() - 1_000);
    scheduler.start();
    await pass(500);
    assert.equal(plan.count("position"), 1);
    assert.ok(plan.count("fire") <= 2);
    await pass(600);
    assert.equal(plan.fired.length, 1);
  });
});

Deno.test("Scheduler that ends calls no more, leaves the feed, and may never have begun", async () => {
  await play(async ({ plan, scheduler, pass }) => {
    scheduler.start();
    scheduler.start();
    await pass(100);
    await scheduler[Symbol.asyncDispose]();
    assert.equal(plan.left, true);
    const { length } = plan.calls;
    plan.add(Date.now());
    scheduler.expect(Date.now());
    await pass(10_000);
    assert.equal(plan.calls.length, length);
  });
  await play(async () => {});
});

Deno.test("Scheduler shows topics to pattern groups that do not know them yet, and then publishes", async () => {
  await using partition = redis.open();
  const { store } = partition;
  const { groups } = store;
  const shown: string[] = [];
  const index = new GroupIndex({
    patterns: () => groups.patterns(),
    adopt: async (adoption) => {
      await groups.adopt(adoption);
      shown.push(...adoption.topics.map(({ topic }) => topic));
    },
  });
  const { now } = await store.position();
  const options = JSON.stringify({ at: now, nonce: "0123456789abcdef" });
  await partition.commit({ "jobs.new": [{ body: '{"data":1}', options }] });
  await groups.configure({ sub: "jobs.*", group: "g" }, { since: "earliest" });
  const scheduler = new Scheduler({
    store,
    feed: { attend: () => () => {} },
    log: memoryLog().log,
    index,
  });
  scheduler.start();
  scheduler.expect(0);
  await until(async () => (await store.position({ topics: ["jobs.new"] })).topics[0]?.count === 1);
  await scheduler[Symbol.asyncDispose]();
  assert.deepEqual(shown, ["jobs.new"]);
});
