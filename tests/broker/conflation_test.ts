import assert from "node:assert/strict";
import { Batch } from "../../lib/broker/batch.ts";
import { ConflatingReader, type WindowLimits } from "../../lib/broker/conflation.ts";
import type { Gap, Page } from "../../lib/broker/page.ts";
import type { PageReader, Reading } from "../../lib/broker/reader.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { formatId } from "../../lib/codec/id.ts";
import type { StoredMessage } from "../../lib/codec/message.ts";
import type { Position } from "../../lib/redis/position.ts";
import { idOf, messageOf } from "../_support/ids.ts";

/** A message of a log: its topic and, after a colon, its key. */
type Place = string;

interface Script {
  /** Messages of the log; their ids are their places in it, from 1. */
  readonly log: readonly Place[];
  /** Messages a page has. @default 2 */
  readonly pageSize?: number;
  /** What the pages that begin at these places say beside, or that they fail. */
  readonly aside?: Readonly<Record<number, readonly Gap[] | "lost" | "fails" | "other reign">>;
  /** Messages that have expired by now. */
  readonly expired?: readonly number[];
}

/** Gives the pages of a log that exists in the test alone. */
class ScriptedReader implements PageReader {
  readonly cursors: number[] = [];
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  page({ cursor, bound }: Reading): Promise<Page> {
    const { log, pageSize = 2, aside = {} } = this.#script;
    const from = cursor.ms;
    this.cursors.push(from);
    const special = aside[from];
    if (special === "fails") return Promise.reject(new Error("down"));
    const position = { ...positionOf(log.length), generation: bound.generation };
    const empty = { batch: new Batch([], []), gaps: [], cursor, position };
    if (special === "lost") return Promise.resolve({ ...empty, position: lostPosition(position) });
    if (special === "other reign" && bound.generation === 1) {
      return Promise.resolve({ ...empty, position: { ...position, generation: 2 } });
    }
    const end = Math.min(log.length, from + pageSize);
    const numbers = log.map((_, i) => i + 1).slice(from, end);
    const batch = new Batch(numbers.map(idOf), numbers.map((n) => this.#message(n)));
    const gaps = typeof special === "object" ? special : [];
    return Promise.resolve({ batch, gaps, cursor: idOf(end), position });
  }

  #message(n: number): StoredMessage {
    const [topic = "", key] = (this.#script.log[n - 1] ?? "").split(":");
    const expires = this.#script.expired?.includes(n) ? 1 : undefined;
    return { ...messageOf(topic, n, expires), ...(key === undefined ? {} : { key }) };
  }
}

function positionOf(clock: number): Position {
  const purged = idOf(0);
  return { generation: 1, clock: idOf(clock), now: 1_000_000, purged, lost: false, topics: [] };
}

const lostPosition = (position: Position): Position => ({ ...position, lost: true });

interface WindowRead {
  readonly numbers: number[];
  readonly gaps: readonly Gap[];
  readonly end: number;
}

function open(script: Script, limits?: WindowLimits) {
  const source = new ScriptedReader(script);
  const leaving = new AbortController();
  const reader = new ConflatingReader(source, {
    signal: leaving.signal,
    ...(limits === undefined ? {} : { limits }),
  });
  const read = async (from: number): Promise<WindowRead> => {
    const page = await reader.page({
      filter: new TopicFilter(["**"]),
      cursor: idOf(from),
      bound: positionOf(0),
    });
    return { numbers: page.batch.ids.map(({ ms }) => ms), gaps: page.gaps, end: page.cursor.ms };
  };
  return { reader, source, leaving, read };
}

const conflated = (topic: string, after: number, before: number, skipped: number): Gap => ({
  topic,
  after: formatId(idOf(after)),
  before: formatId(idOf(before)),
  reason: "conflated",
  skipped,
});
const ROOMY = { bytes: 1 << 20, kept: 1_000, read: 1_000 };

Deno.test("ConflatingReader gives the newest of each key in the order of ids, and says what it left out", async () => {
  const log = ["a:x", "a:y", "a:x", "a:z", "a:x", "a:y", "a:w"];
  const { read } = open({ log });
  assert.deepEqual(await read(0), {
    numbers: [4, 5, 6, 7],
    gaps: [conflated("a", 0, 6, 3)],
    end: 7,
  });
});

Deno.test("ConflatingReader takes the same key of two topics for two, and announces each topic by itself", async () => {
  const { read } = open({ log: ["a:x", "b:x", "a:x", "b:y", "b:x", "b:x"] });
  assert.deepEqual(await read(0), {
    numbers: [3, 4, 6],
    gaps: [conflated("a", 0, 3, 1), conflated("b", 0, 6, 2)],
    end: 6,
  });
});

Deno.test("ConflatingReader gives all messages without a key", async () => {
  const { read } = open({ log: ["a", "a:x", "a", "a:x", "a"] });
  assert.deepEqual(await read(0), {
    numbers: [1, 3, 4, 5],
    gaps: [conflated("a", 0, 4, 1)],
    end: 5,
  });
});

Deno.test("ConflatingReader ends a window at its limits, and goes on after it", async (t) => {
  const log = ["a:1", "a:2", "a:3", "a:1", "a:2", "a:3"];
  const limits: [string, Partial<WindowLimits>][] = [
    ["kept messages", { kept: 2 }],
    ["kept bytes", { bytes: 20 }],
    ["read messages", { read: 2 }],
  ];
  for (const [what, changes] of limits) {
    await t.step(what, async () => {
      const { reader, read } = open({ log }, { ...ROOMY, ...changes });
      assert.deepEqual(await read(0), { numbers: [1, 2], gaps: [], end: 2 });
      assert.equal(reader.isBehind, true);
      await read(2);
      assert.deepEqual(await read(4), { numbers: [5, 6], gaps: [], end: 6 });
      assert.equal(reader.isBehind, false);
    });
  }
});

Deno.test("ConflatingReader reads as far as the clock when it began, not for ever after a busy publisher", async () => {
  const log = ["a:x", "a:x"];
  const { source, read } = open({ log, pageSize: 1 });
  const page = source.page.bind(source);
  source.page = (reading) => {
    log.push("a:x");
    return page(reading);
  };
  // the first page has already seen the third
  assert.deepEqual((await read(0)).numbers, [3]);
});

Deno.test("ConflatingReader announces what its pages do where it belongs: nothing given before it comes after", async () => {
  const gap: Gap = { topic: "a", after: "2-65536", before: "3-65536", reason: "retention" };
  const { read } = open({ log: ["a:x", "a:x", "a:x", "a:x"], aside: { 2: [gap] } });
  assert.deepEqual(await read(0), { numbers: [2], gaps: [conflated("a", 0, 2, 1)], end: 2 });
  assert.deepEqual(await read(2), { numbers: [4], gaps: [gap, conflated("a", 2, 4, 1)], end: 4 });
});

Deno.test("ConflatingReader gives what it has read where the next page fails, is lost or is of another reign", async (t) => {
  for (const special of ["fails", "lost", "other reign"] as const) {
    await t.step(special, async () => {
      const { reader, read } = open({ log: ["a:x", "a:x", "a:x"], aside: { 2: special } });
      assert.deepEqual(await read(0), { numbers: [2], gaps: [conflated("a", 0, 2, 1)], end: 2 });
      assert.equal(reader.isBehind, true);
      if (special === "fails") await assert.rejects(read(2), /down/);
      if (special === "lost") assert.deepEqual((await read(2)).numbers, []);
      if (special === "other reign") assert.deepEqual((await read(2)).numbers, [3]);
    });
  }
});

Deno.test("ConflatingReader lets an expired message supersede older ones, and counts no expired one as left out", async () => {
  const { read } = open({ log: ["a:x", "a:x", "a:x"], expired: [1, 3] });
  const { numbers, gaps } = await read(0);
  assert.deepEqual(gaps, [conflated("a", 0, 3, 1)]);
  assert.deepEqual(numbers, [3], "which the batch does not write");
});

Deno.test("ConflatingReader reads no further when its client has gone", async () => {
  const { source, leaving, read } = open({ log: Array(100).fill("a:x") });
  leaving.abort();
  assert.deepEqual((await read(0)).numbers, [2]);
  assert.equal(source.cursors.length, 1);
});

Deno.test("ConflatingReader is behind at first, and again when it is told so", async () => {
  const { reader, read } = open({ log: ["a:x"] });
  assert.equal(reader.isBehind, true);
  await read(0);
  assert.equal(reader.isBehind, false);
  reader.fallBehind();
  assert.equal(reader.isBehind, true);
});
