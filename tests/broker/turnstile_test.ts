import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { Turnstile, type TurnstileOptions } from "../../lib/broker/turnstile.ts";
import { nextTurn } from "../../lib/broker/wait.ts";
import { until } from "../_support/until.ts";

/** A turnstile that has the process to itself unless told otherwise. */
function turnstile(options: Partial<TurnstileOptions> = {}): Turnstile {
  return new Turnstile({ others: () => 0, lot: 2, ...options });
}

/** Openings that end when they are told to. */
class Openings {
  readonly begun: number[] = [];
  readonly #ends: PromiseWithResolvers<number>[] = [];

  open(n: number): () => Promise<number> {
    const end = this.#ends[n] = Promise.withResolvers<number>();
    return () => {
      this.begun.push(n);
      return end.promise;
    };
  }

  end(n: number): void {
    this.#ends[n]?.resolve(n);
  }

  fail(n: number): void {
    this.#ends[n]?.reject(new Error(`opening ${n}`));
  }
}

Deno.test("Turnstile lets in at once whoever comes where there is no crowd", async () => {
  await using gate = turnstile();
  const openings = new Openings();
  const first = gate.pass(openings.open(0));
  const second = gate.pass(openings.open(1));
  assert.deepEqual(openings.begun, [0, 1]);
  openings.end(0);
  openings.end(1);
  assert.deepEqual(await Promise.all([first, second]), [0, 1]);
});

Deno.test("Turnstile lets in a lot at a time, in the order in which they came", async () => {
  await using gate = turnstile();
  const openings = new Openings();
  const all = [0, 1, 2, 3, 4].map((n) => gate.pass(openings.open(n)));
  assert.deepEqual(openings.begun, [0, 1]);
  assert.equal(gate.waiting, 3);
  openings.end(1);
  openings.end(0);
  await until(() => openings.begun.length > 2);
  assert.deepEqual(openings.begun, [0, 1, 2, 3]);
  for (const n of [2, 3, 4]) openings.end(n);
  assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4]);
  assert.deepEqual(openings.begun, [0, 1, 2, 3, 4]);
});

Deno.test("Turnstile gives the event loop its turns between two lots", async () => {
  await using gate = turnstile({ lot: 1 });
  let turns = 0, isOver = false;
  const counting = (async () => {
    for (; !isOver; turns++) await nextTurn();
  })();
  await Promise.all(Array.from({ length: 10 }, () => gate.pass(() => Promise.resolve())));
  isOver = true;
  await counting;
  assert.ok(turns >= 10, `${turns} turns`);
});

Deno.test("Turnstile leaves the process to others where these did something meanwhile", async () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    let done = 0, begun = 0;
    await using gate = turnstile({ lot: 1, others: () => done });
    const busy = () => {
      begun++;
      done++;
      clock.tick(10);
      return Promise.resolve();
    };
    const all = Promise.all([gate.pass(busy), gate.pass(busy)]);
    while (clock.countTimers() === 0) await nextTurn();
    await clock.tickAsync(49);
    assert.equal(begun, 1);
    await clock.tickAsync(1);
    await all;
    assert.equal(begun, 2);
  } finally {
    clock.uninstall();
  }
});

Deno.test("Turnstile goes on after an opening that failed", async () => {
  await using gate = turnstile({ lot: 1 });
  const openings = new Openings();
  const failing = assert.rejects(gate.pass(openings.open(0)), /opening 0/);
  const next = gate.pass(openings.open(1));
  openings.fail(0);
  openings.end(1);
  await failing;
  assert.equal(await next, 1);
});

Deno.test("Turnstile waits for an opening that hangs no longer than for a moment", async () => {
  await using gate = turnstile({ lot: 1 });
  const openings = new Openings();
  const hanging = gate.pass(openings.open(0));
  const next = gate.pass(openings.open(1));
  openings.end(1);
  assert.equal(await next, 1);
  openings.end(0);
  assert.equal(await hanging, 0);
});

Deno.test("Turnstile forgets whoever leaves while it waits", async () => {
  await using gate = turnstile({ lot: 1 });
  const openings = new Openings();
  const first = gate.pass(openings.open(0));
  const leaver = new AbortController();
  const leaving = assert.rejects(gate.pass(openings.open(1), leaver), /gone/);
  const last = gate.pass(openings.open(2));
  leaver.abort(new Error("gone"));
  await leaving;
  assert.equal(gate.waiting, 1);
  await assert.rejects(gate.pass(openings.open(3), leaver), /gone/);
  openings.end(0);
  openings.end(2);
  await Promise.all([first, last]);
  assert.deepEqual(openings.begun, [0, 2]);
});

Deno.test("Turnstile reads the signal only of whoever has to wait", async () => {
  await using gate = turnstile({ lot: 1 });
  let read = 0;
  const comer = {
    get signal() {
      read++;
      return new AbortController().signal;
    },
  };
  const first = gate.pass(() => Promise.resolve(), comer);
  assert.equal(read, 0);
  await Promise.all([first, gate.pass(() => Promise.resolve(), comer)]);
  assert.equal(read, 1);
});

Deno.test("Turnstile refuses whoever comes where too many wait", async () => {
  await using gate = turnstile({ lot: 1, queue: 1 });
  const all = [gate.pass(() => Promise.resolve()), gate.pass(() => Promise.resolve())];
  await assert.rejects(gate.pass(() => Promise.resolve()), { code: "overloaded" });
  await Promise.all(all);
});

Deno.test("Turnstile tells whoever waits when it ends, and lets nobody in any more", async () => {
  const gate = turnstile({ lot: 1 });
  const openings = new Openings();
  const first = gate.pass(openings.open(0));
  const waiting = assert.rejects(gate.pass(openings.open(1)), { code: "shutting_down" });
  await gate[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(gate.pass(openings.open(2)), { code: "shutting_down" });
  openings.end(0);
  assert.equal(await first, 0);
  assert.deepEqual(openings.begun, [0]);
});
