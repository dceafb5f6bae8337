import assert from "node:assert/strict";
import { type FrameRead, mergeFrames, takeFrames } from "../../lib/broker/frame_page.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { advanceId, formatId, type Id } from "../../lib/codec/id.ts";
import type { LogEntry } from "../../lib/redis/entry.ts";
import { idOf, messageOf } from "../_support/ids.ts";

/** A frame of the log that begins at a number. */
function frame(topic: string, n: number, { count = 1, bytes = 10 } = {}): LogEntry {
  const first = idOf(n);
  return { topic, first, last: advanceId(first, count - 1), count, bytes, previous: idOf(n - 1) };
}

/** A frame of which only the last `kept` messages are left. */
function read(frame: LogEntry, kept = frame.count): FrameRead {
  const entries = Array.from({ length: kept }, (_, i) => ({
    id: advanceId(frame.first, frame.count - kept + i),
    previous: frame.previous,
    number: 1,
    message: messageOf(frame.topic, frame.first.ms),
  }));
  return { frame, entries };
}

const text = (id: Id) => formatId(id);
const whole = { after: idOf(0), floors: undefined };
const all = new TopicFilter(["**"]);

Deno.test("takeFrames() takes what matches, and tells how far it has looked", () => {
  const log = [frame("a", 1), frame("b", 2), frame("a", 3), frame("b", 4)];
  const taken = takeFrames(log, { filter: new TopicFilter(["a"]), bytes: 1_000 });
  assert.deepEqual(taken.frames.map(({ first }) => first.ms), [1, 3]);
  assert.deepEqual([taken.last, taken.all], [idOf(4), true]);
  assert.deepEqual(takeFrames([], { filter: all, bytes: 1 }), {
    frames: [],
    last: undefined,
    all: true,
  });
});

Deno.test("takeFrames() stops before a frame that does not fit, but takes one at the least", () => {
  const log = [1, 2, 3, 4].map((n) => frame("a", n, { bytes: 40 }));
  const taken = takeFrames(log, { filter: all, bytes: 100 });
  assert.deepEqual([taken.frames.length, taken.last, taken.all], [2, idOf(2), false]);
  const one = takeFrames(log, { filter: all, bytes: 10 });
  assert.deepEqual([one.frames.length, one.last], [1, idOf(1)]);
});

Deno.test("mergeFrames() announces frames of which messages are gone, once a topic", () => {
  const reads = [
    read(frame("a", 1, { count: 3 }), 0),
    read(frame("b", 2)),
    read(frame("a", 3, { count: 3 }), 2),
    read(frame("a", 4)),
  ];
  const { batch, gaps } = mergeFrames(reads, whole);
  assert.equal(batch.ids.length, 4);
  assert.deepEqual(gaps, [{
    topic: "a",
    after: text(idOf(0)),
    before: text(advanceId(idOf(3), 1)),
    reason: "retention",
  }]);
});

Deno.test("mergeFrames() names the first message that is there again, or none", () => {
  const gone = read(frame("a", 1), 0);
  assert.deepEqual(mergeFrames([gone], whole).gaps.map(({ before }) => before), [null]);
  const again = mergeFrames([gone, read(frame("a", 5))], whole);
  assert.deepEqual(again.gaps.map(({ before }) => before), [text(idOf(5))]);
});

Deno.test("mergeFrames() asks of a frame only what comes after the cursor, or after the floor", () => {
  const three = frame("a", 1, { count: 3 });
  const after = advanceId(idOf(1), 1);
  const { batch, gaps } = mergeFrames([read(three)], { after, floors: undefined });
  assert.deepEqual([batch.ids, gaps], [[advanceId(idOf(1), 2)], []]);
  assert.deepEqual(mergeFrames([read(three, 1)], { after, floors: undefined }).gaps, []);
  const floors = new Map([["a", after]]);
  assert.deepEqual(mergeFrames([read(three, 1)], { ...whole, floors }).gaps, []);
  assert.equal(mergeFrames([read(three, 0)], { ...whole, floors }).gaps.length, 1);
});
