import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { RunnelError } from "../../lib/errors.ts";
import { PublishQuota, type RateStore } from "../../lib/http/publish_quota.ts";

/** A store as Redis is one, in this process, on the clock of `performance`. */
class MemoryStore implements RateStore {
  /** The points of every call, by name. */
  readonly asked: [name: string, points: number][] = [];
  readonly #counts = new Map<string, { count: number; end: number }>();
  /** What a call waits for before it is done. */
  gate: Promise<void> | undefined;

  /** What was counted in the window that is now. */
  countOf(name: string): number {
    const window = this.#counts.get(name);
    return window === undefined || window.end <= performance.now() ? 0 : window.count;
  }

  async take(name: string, { points, rate }: { points: number; rate: number }) {
    this.asked.push([name, points]);
    await this.gate;
    const now = performance.now();
    let window = this.#counts.get(name);
    if (window === undefined || window.end <= now) window = { count: 0, end: now + 1_000 };
    this.#counts.set(name, window);
    const granted = window.count + points <= rate;
    if (granted) window.count += points;
    return { granted, remaining: rate - window.count, resetMs: window.end - now };
  }
}

/** Runs a test on a clock of its own. */
function clocked(work: (clock: FakeTimers.Clock) => Promise<void>): () => Promise<void> {
  return async () => {
    const clock = FakeTimers.install({ now: 1_000_000, toFake: ["performance"] });
    clock.tick(5_000);
    try {
      await work(clock);
    } finally {
      clock.uninstall();
    }
  };
}

async function isGiven(quota: PublishQuota, name: string, messages = 1): Promise<boolean> {
  try {
    await quota.take(name, messages);
    return true;
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "rate_limited", String(error));
    return false;
  }
}

async function countGiven(quota: PublishQuota, name: string, tries: number): Promise<number> {
  let given = 0;
  for (let i = 0; i < tries; i++) if (await isGiven(quota, name)) given++;
  return given;
}

Deno.test(
  "take() gives an identity so many messages in a second, and as many in the next",
  clocked(async (clock) => {
    const quota = new PublishQuota({ rate: 3, store: new MemoryStore() });
    assert.equal(await countGiven(quota, "a", 10), 3);
    assert.equal(await countGiven(quota, "b", 10), 3);
    clock.tick(999);
    assert.equal(await countGiven(quota, "a", 10), 0);
    clock.tick(1);
    assert.equal(await countGiven(quota, "a", 10), 3);
  }),
);

Deno.test(
  "take() says what is left, and of a refusal when to come again",
  clocked(async (clock) => {
    const quota = new PublishQuota({ rate: 3, store: new MemoryStore() });
    const { headers } = await quota.take("a", 2);
    assert.deepEqual(headers, {
      "ratelimit-policy": '"publish";q=3;w=1',
      ratelimit: '"publish";r=1;t=1',
    });
    clock.tick(900);
    await assert.rejects(quota.take("a", 2), (error: unknown) => {
      assert(error instanceof RunnelError);
      assert.equal(error.code, "rate_limited");
      assert.deepEqual(error.headers, { ...headers, "retry-after": "1" });
      assert.deepEqual(error.audit, { limit: "publish rate" });
      return true;
    });
  }),
);

Deno.test(
  "take() gives all or nothing, takeSome() what there is",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 10, store });
    await quota.take("a", 6);
    assert.equal(await isGiven(quota, "a", 5), false);
    assert.equal(store.countOf("a"), 6);
    assert.equal((await quota.takeSome("a", 5)).messages, 4);
    assert.equal((await quota.takeSome("a", 5)).messages, 0);
    assert.equal(await isGiven(quota, "a", 0), true);
  }),
);

Deno.test(
  "below fifty messages a second every one is counted in the store",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 49, store });
    await countGiven(quota, "a", 40);
    assert.deepEqual(store.asked, Array.from({ length: 40 }, () => ["a", 1]));
  }),
);

Deno.test(
  "a process leases ahead as much as it has used, and a fiftieth of the rate at the most",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 500, store });
    const used = await countGiven(quota, "a", 1_000);
    assert.equal(used, 500);
    const points = store.asked.map(([, points]) => points);
    assert.deepEqual(points.slice(0, 6), [1, 1, 2, 4, 8, 10]);
    assert.equal(Math.max(...points), 10);
    assert.equal(points.length, 54);
  }),
);

Deno.test(
  "processes together never give more than there is, and one that publishes little leaves the others theirs",
  clocked(async (clock) => {
    const store = new MemoryStore();
    const [busy, other, idle] = Array.from(
      { length: 3 },
      () => new PublishQuota({ rate: 1_000, store }),
    );
    assert(busy !== undefined && other !== undefined && idle !== undefined);
    for (let second = 0; second < 3; second++) {
      let given = 0;
      given += await countGiven(idle, "a", 1);
      for (let i = 0; i < 50; i++) {
        given += await countGiven(busy, "a", 17);
        given += await countGiven(other, "a", 13);
      }
      assert(given <= 1_000, `${given}`);
      // what two that are busy have leased at the end
      assert(given >= 1_000 - 2 * 20, `${given}`);
      clock.tick(1_000);
    }
  }),
);

Deno.test(
  "a lease ends with the second that it was counted in",
  clocked(async (clock) => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 500, store });
    await countGiven(quota, "a", 20);
    assert(store.countOf("a") > 20);
    clock.tick(1_000);
    assert.equal(await countGiven(quota, "a", 1_000), 500);
    assert.equal(store.countOf("a"), 500);
  }),
);

Deno.test(
  "whoever comes while the store is asked is asked for with the others, in order",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 10, store });
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const wishes = [1, 3, 5, 4, 1].map((messages) => isGiven(quota, "a", messages));
    gate.resolve();
    assert.deepEqual(await Promise.all(wishes), [true, true, true, false, true]);
    assert.deepEqual(store.asked, [["a", 1], ["a", 9]]);
  }),
);

Deno.test(
  "where others have taken meanwhile, what is left is asked for",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 10, store });
    const other = new PublishQuota({ rate: 10, store });
    await quota.take("a", 1);
    await other.take("a", 6);
    assert.equal((await quota.takeSome("a", 8)).messages, 3);
    assert.deepEqual(store.asked.map(([, points]) => points), [1, 6, 8, 3]);
  }),
);

Deno.test(
  "what is known to be used up is refused without asking",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 2, store });
    await countGiven(quota, "a", 100);
    assert.equal(store.asked.length, 2);
    assert.equal(await isGiven(quota, "b", 3), false);
    assert.equal(store.asked.length, 2);
  }),
);

Deno.test(
  "where the store fails, all who wait are told, and the next asks again",
  clocked(async () => {
    const failure = new RunnelError("redis_unavailable");
    let isAway = true;
    const memory = new MemoryStore();
    const quota = new PublishQuota({
      rate: 10,
      store: { take: (...args) => isAway ? Promise.reject(failure) : memory.take(...args) },
    });
    const results = await Promise.allSettled([quota.take("a", 1), quota.takeSome("a", 1)]);
    assert.deepEqual(results.map((one) => one.status === "rejected" && one.reason), [
      failure,
      failure,
    ]);
    isAway = false;
    assert.equal(await isGiven(quota, "a"), true);
  }),
);

Deno.test(
  "an identity that was forgotten for others gets no more than there is",
  clocked(async () => {
    const store = new MemoryStore();
    const quota = new PublishQuota({ rate: 5, store, remembered: 2 });
    let given = 0;
    for (let i = 0; i < 10; i++) {
      for (const name of ["a", "b", "c"]) if (await isGiven(quota, name)) given++;
    }
    assert.equal(given, 15);
  }),
);
