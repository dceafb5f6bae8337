import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { type Outlook, type Place, WaitingLine } from "../../lib/broker/waiting_line.ts";
import type { FeedWatcher } from "../../lib/broker/watchers.ts";

/** A feed that is live or not as the test says. */
class FakeFeed {
  watcher: FeedWatcher | undefined;
  acquired = 0;
  attempts = 0;
  up = true;

  acquire(): Promise<void> {
    this.attempts++;
    if (!this.up) return Promise.reject(new Error("away"));
    this.acquired++;
    return Promise.resolve();
  }

  release(): void {
    this.acquired--;
  }

  watch(watcher: FeedWatcher): () => void {
    this.watcher = watcher;
    return () => {
      if (this.watcher === watcher) this.watcher = undefined;
    };
  }

  /** The link is lost: whoever watches is told. */
  break(): void {
    this.up = false;
    const { watcher } = this;
    this.watcher = undefined;
    watcher?.onBreak();
  }
}

/** A line on a clock that moves only as told. */
class Stage implements AsyncDisposable {
  readonly clock: FakeTimers.Clock;
  readonly feed = new FakeFeed();
  readonly line: WaitingLine;
  readonly over = new AbortController();
  /** Who was called, in order. */
  readonly called: string[] = [];
  empty = 0;

  constructor() {
    this.clock = FakeTimers.install({ now: 1_000_000, toFake: ["setTimeout", "clearTimeout"] });
    this.line = new WaitingLine({
      group: "jobs|g",
      filter: new TopicFilter(["jobs"]),
      feed: this.feed,
      now: () => this.clock.now,
      onEmpty: () => void this.empty++,
    });
  }

  /** Lets somebody wait under a name. */
  wait(name: string, outlook: Outlook = {}, place: Place = this.line.enter()): Place {
    place.turn(outlook, this.over.signal).then(() => {
      if (!this.over.signal.aborted) this.called.push(name);
    });
    return place;
  }

  /** Whoever was called since. */
  async heard(): Promise<string[]> {
    await this.clock.tickAsync(0);
    return this.called.splice(0);
  }

  /** Lets time pass, and tells whoever was called then. */
  async after(ms: number): Promise<string[]> {
    await this.clock.tickAsync(ms);
    return this.called.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.over.abort();
    await this.line.close();
    this.clock.uninstall();
  }
}

Deno.test("WaitingLine lets one look when it begins to listen: what came before, nobody was told of", async () => {
  await using stage = new Stage();
  stage.wait("a");
  stage.wait("b");
  assert.deepEqual(await stage.heard(), ["a"]);
});

Deno.test("WaitingLine calls one for each activity, first come first served", async () => {
  await using stage = new Stage();
  const first = stage.wait("a");
  assert.deepEqual(await stage.heard(), ["a"]);
  stage.wait("b");
  stage.wait("c");
  // the one that looked in vain keeps its place
  stage.wait("a", {}, first);
  stage.line.onActivity();
  assert.deepEqual(await stage.heard(), ["a"]);
  stage.line.onActivity();
  stage.line.onActivity();
  assert.deepEqual(await stage.heard(), ["b", "c"]);
});

Deno.test("WaitingLine calls whoever is next where all were looking when something came", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  await stage.heard();
  stage.line.onActivity();
  stage.line.onActivity();
  stage.wait("a", {}, a);
  assert.deepEqual(await stage.heard(), ["a"], "it looks again");
  stage.wait("a", {}, a);
  assert.deepEqual(await stage.heard(), [], "and once is enough");
});

Deno.test("WaitingLine calls two more for each that found something and left more, and none otherwise", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  for (const name of ["b", "c", "d"]) stage.wait(name);
  await stage.heard();
  a.found({ more: false });
  assert.deepEqual(await stage.heard(), []);
  a.found({ more: true });
  assert.deepEqual(await stage.heard(), ["b", "c"]);
});

Deno.test("WaitingLine calls another where the one that was called leaves without a look", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  stage.wait("b");
  await stage.heard();
  a.leave();
  assert.deepEqual(await stage.heard(), ["b"]);
});

Deno.test("WaitingLine calls nobody for one that leaves after it found what there was", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  stage.wait("b");
  await stage.heard();
  a.found({ more: false });
  a.leave();
  assert.deepEqual(await stage.heard(), []);
});

Deno.test("WaitingLine calls when something is due, and when a frame says so", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  await stage.heard();
  stage.wait("a", { nextDue: stage.clock.now + 300 }, a);
  assert.deepEqual(await stage.after(299), []);
  assert.deepEqual(await stage.after(1), ["a"]);
  stage.wait("a", {}, a);
  stage.line.onWake("jobs|other", stage.clock.now);
  assert.deepEqual(await stage.heard(), []);
  stage.line.onWake("jobs|g", stage.clock.now);
  assert.deepEqual(await stage.heard(), ["a"]);
  stage.wait("a", { nextDue: stage.clock.now + 900 }, a);
  stage.line.onWake("jobs|g", stage.clock.now + 200);
  assert.deepEqual(await stage.after(200), ["a"], "the earlier of the two counts");
});

Deno.test("WaitingLine looks now and then by itself: each second where something is due, else every few", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  await stage.heard();
  stage.wait("a", {}, a);
  assert.deepEqual(await stage.after(4_000), []);
  assert.deepEqual(await stage.after(1_000), ["a"]);
  stage.wait("a", { nextDue: stage.clock.now + 60_000 }, a);
  assert.deepEqual(await stage.after(1_000), ["a"]);
});

Deno.test("WaitingLine looks twice a second while the feed is broken, and at once when it is mended", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  await stage.heard();
  stage.wait("a", {}, a);
  stage.feed.break();
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(await stage.after(500), ["a"]);
    stage.wait("a", {}, a);
  }
  assert.ok(stage.feed.attempts > 3, "it tries to listen again");
  stage.feed.up = true;
  await stage.after(500);
  stage.called.splice(0);
  assert.ok(stage.feed.watcher !== undefined);
  stage.wait("a", {}, a);
  stage.line.onActivity();
  assert.deepEqual(await stage.heard(), ["a"]);
});

Deno.test("WaitingLine wastes no call on one that is full, and calls it when it has room, or after a while", async () => {
  await using stage = new Stage();
  stage.wait("a");
  await stage.heard();
  const full = stage.wait("full", { full: true, nextDue: stage.clock.now });
  stage.wait("b");
  stage.line.onActivity();
  assert.deepEqual(await stage.heard(), ["b"]);
  stage.line.onRoom();
  assert.deepEqual(await stage.heard(), ["full"]);
  stage.wait("full", { full: true }, full);
  assert.deepEqual(await stage.after(5_000), ["full"], "its own leases may have run out");
});

Deno.test("WaitingLine calls everybody where Redis was lost, so that all are told at once", async () => {
  await using stage = new Stage();
  const a = stage.wait("a");
  for (const name of ["b", "c"]) stage.wait(name);
  stage.wait("full", { full: true });
  await stage.heard();
  a.lost();
  assert.deepEqual(await stage.heard(), ["b", "c", "full"]);
});

Deno.test("Place.turn() ends when the signal aborts, and at once where it has", async () => {
  await using stage = new Stage();
  stage.wait("a");
  await stage.heard();
  const place = stage.line.enter();
  const gone = new AbortController();
  const turn = place.turn({}, gone.signal);
  gone.abort();
  await turn;
  await place.turn({}, gone.signal);
  place.leave();
  stage.wait("b");
  stage.line.onActivity();
  assert.deepEqual(await stage.heard(), ["b"]);
});

Deno.test("WaitingLine gives the feed back when it is closed, and tells when nobody is in it", async () => {
  const stage = new Stage();
  const a = stage.wait("a");
  await stage.heard();
  assert.equal(stage.feed.acquired, 1);
  a.leave();
  assert.equal(stage.empty, 1);
  await stage[Symbol.asyncDispose]();
  assert.deepEqual([stage.feed.acquired, stage.feed.watcher], [0, undefined]);
});
