import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { PageCache } from "../../lib/broker/page_cache.ts";
import { Batch } from "../../lib/broker/batch.ts";
import type { Page } from "../../lib/broker/page.ts";
import { ZERO } from "../../lib/codec/id.ts";
import { batchWith, idOf, messageOf } from "../_support/ids.ts";

function pageOf(options: { generation?: number; batch?: Batch } = {}): Page {
  const { generation = 1, batch = batchWith("a", 1) } = options;
  const position = { generation, clock: idOf(9), now: 0, purged: ZERO, lost: false, topics: [] };
  return { batch, gaps: [], cursor: idOf(1), position };
}

/** Reads pages and counts how often. */
class Source {
  reads = 0;

  constructor(readonly page: Page = pageOf()) {}

  read = (): Promise<Page> => {
    this.reads++;
    return Promise.resolve(this.page);
  };
}

Deno.test("PageCache reads once for all who ask at the same time and shortly after", async () => {
  const cache = new PageCache();
  const source = new Source();
  const pages = await Promise.all([1, 2, 3].map(() => cache.get("k", 1, source.read)));
  pages.push(await cache.get("k", 1, source.read));
  assert.deepEqual([source.reads, new Set(pages).size], [1, 1]);
  await cache.get("other", 1, source.read);
  assert.equal(source.reads, 2);
});

Deno.test("PageCache reads anew after two seconds", async () => {
  const clock = FakeTimers.install({ toFake: ["performance"] });
  try {
    const cache = new PageCache();
    const source = new Source();
    await cache.get("k", 1, source.read);
    clock.tick(1_999);
    await cache.get("k", 1, source.read);
    assert.equal(source.reads, 1);
    clock.tick(1);
    await cache.get("k", 1, source.read);
    assert.equal(source.reads, 2);
  } finally {
    clock.uninstall();
  }
});

Deno.test("PageCache lets go of pages that nobody asks for again when another one comes", async () => {
  const clock = FakeTimers.install({ toFake: ["performance"] });
  try {
    const cache = new PageCache();
    const source = new Source();
    for (const key of ["a", "b", "c"]) await cache.get(key, 1, source.read);
    clock.tick(1_999);
    await cache.get("d", 1, source.read);
    assert.equal(cache.size, 4);
    clock.tick(1);
    await cache.get("e", 1, source.read);
    assert.equal(cache.size, 2);
  } finally {
    clock.uninstall();
  }
});

Deno.test("PageCache keeps no empty page, which would hide the next message", async () => {
  const cache = new PageCache();
  const source = new Source(pageOf({ batch: new Batch([], []) }));
  await cache.get("k", 1, source.read);
  await cache.get("k", 1, source.read);
  assert.equal(source.reads, 2);
});

Deno.test("PageCache forgets everything when the generation changes", async () => {
  const cache = new PageCache();
  const [old, fresh] = [new Source(), new Source(pageOf({ generation: 2 }))];
  await cache.get("k", 1, old.read);
  assert.equal((await cache.get("k", 2, fresh.read)).position.generation, 2);
  assert.deepEqual([old.reads, fresh.reads], [1, 1]);
});

Deno.test("PageCache keeps no page that turns out to be of another generation", async () => {
  const cache = new PageCache();
  const source = new Source(pageOf({ generation: 2 }));
  await cache.get("k", 1, source.read);
  await cache.get("k", 1, source.read);
  assert.equal(source.reads, 2);
});

Deno.test("PageCache does not share a reading of an older generation", async () => {
  const cache = new PageCache();
  const slow = Promise.withResolvers<Page>();
  const old = cache.get("k", 1, () => slow.promise);
  const fresh = await cache.get("k", 2, () => Promise.resolve(pageOf({ generation: 2 })));
  slow.resolve(pageOf());
  assert.deepEqual([fresh.position.generation, (await old).position.generation], [2, 1]);
  const again = new Source(pageOf({ generation: 2 }));
  await cache.get("k", 2, again.read);
  assert.equal(again.reads, 0);
});

Deno.test("PageCache remembers no failure", async () => {
  const cache = new PageCache();
  await assert.rejects(cache.get("k", 1, () => Promise.reject(new Error("down"))), /down/);
  const source = new Source();
  await cache.get("k", 1, source.read);
  assert.equal(source.reads, 1);
});

Deno.test("PageCache holds 8 MiB and drops the oldest beyond", async () => {
  const cache = new PageCache();
  const body = "x".repeat(3 << 20);
  const large = new Batch([idOf(1)], [{ ...messageOf("a", 1), body }]);
  const sources = [1, 2, 3].map(() => new Source(pageOf({ batch: large })));
  for (const [i, source] of sources.entries()) await cache.get(`${i}`, 1, source.read);
  for (const i of [1, 2, 0]) await cache.get(`${i}`, 1, sources[i]?.read ?? assert.fail());
  assert.deepEqual(sources.map(({ reads }) => reads), [2, 1, 1]);
});
