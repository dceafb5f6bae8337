import assert from "node:assert/strict";
import { ephemeralFrame, readFrame } from "../../lib/redis/frame.ts";

Deno.test("readFrame() reads messages and gives them consecutive ids", () => {
  const frame = readFrame('F 5-1 4-65536 6-131072 2 1700 töpic\n{"data":1}\n{"data":" x y"}');
  assert.deepEqual(frame, {
    kind: "frame",
    topic: "töpic",
    logPrevious: { ms: 5, seq: 1 },
    topicPrevious: { ms: 4, seq: 65_536 },
    first: { ms: 6, seq: 131_072 },
    last: { ms: 6, seq: 131_073 },
    count: 2,
    messages: [
      { id: "6-131072", topic: "töpic", time: 1_700, body: '{"data":1}' },
      { id: "6-131073", topic: "töpic", time: 1_700, body: '{"data":" x y"}' },
    ],
  });
});

Deno.test("readFrame() reads when messages expire, where some do", () => {
  const frame = readFrame('X 5-1 4-1 6-1 2 1700 t\n1800 {"data":1}\n {"data":"a b"}');
  assert.ok(frame.kind === "frame");
  assert.deepEqual(frame.messages?.map(({ body, expires }) => [body, expires]), [
    ['{"data":1}', 1_800],
    ['{"data":"a b"}', undefined],
  ]);
});

Deno.test("readFrame() reads a frame that carries ids only", () => {
  const frame = readFrame("I 5-1 4-1 6-1 3 1700 t");
  assert.ok(frame.kind === "frame");
  assert.deepEqual([frame.count, frame.last, frame.messages], [3, { ms: 6, seq: 3 }, undefined]);
});

Deno.test("readFrame() reads what ephemeralFrame() wrote", () => {
  const body = '{"data":"a b"}';
  assert.deepEqual(readFrame(ephemeralFrame("t", { time: 17, body })), {
    kind: "ephemeral",
    topic: "t",
    message: { id: null, topic: "t", time: 17, body },
  });
});

Deno.test("readFrame() reads a probe", () => {
  const clock = { ms: 9, seq: 458_752 };
  assert.deepEqual(readFrame("P 7 9-458752 3"), { kind: "probe", generation: 7, clock, number: 3 });
});

Deno.test("readFrame() reads that work of a group may be due", () => {
  const group = "jobs.*|wörkers";
  assert.deepEqual(readFrame(`W 1700 ${group}`), { kind: "wake", group, due: 1_700 });
});

Deno.test("readFrame() reads a reply, and one that was too large to travel", () => {
  const reply = { kind: "reply", id: "0c3e", index: 2, time: 1_700 };
  assert.deepEqual(readFrame('R 0c3e 2 1700\n{"data":"a b"}'), {
    ...reply,
    body: '{"data":"a b"}',
  });
  assert.deepEqual(readFrame("R 0c3e 2 1700"), reply);
});

Deno.test("readFrame() reads confirmations, and that a message is due later", () => {
  assert.deepEqual(readFrame("C 6-131072 3"), { kind: "confirmation", id: "6-131072", count: 3 });
  assert.deepEqual(readFrame("L 1700"), { kind: "later", due: 1_700 });
});

Deno.test("readFrame() throws at whatever is none, in time and memory that it does not decide", () => {
  const bad = [
    ...["", "\n", "hello", "F", "{}", "Z 1-1", "F a b c d e f\n{}", "F 1-1 1-1 1-1 x 5 t\n{}"],
    ...["F 1-1 1-1 1-1 99999999999 5 t\n{}", "F 1-1 1-1 1-1 2 5 t\n{}", "F 1-1 1-1 1-1 1 5 t"],
    ...["F 1-1 1-1 1-1 1 5 t\n{}\n{}", "F 1-1 1-1 1-1 0 5 t", "I 1-1 1-1 1-1 -1 5 t"],
    ...[
      "F 1-1 1-1 1-1 1 x t\n{}",
      "E",
      "E x t\n{}",
      "E 5 t",
      "E 5\n{}",
      "P",
      "P x 1-1 1",
      "P 1 x 1",
    ],
    ...["P 1 1-1 x", "W", "W 1", "W x g", "R", "R a", "R a 1", "R a x 1\n{}", "R a 1 x\n{}"],
    ...["C", "C 1-1", "C 1-1 x", "L", "L x"],
  ];
  for (const text of bad) assert.throws(() => readFrame(text), TypeError, JSON.stringify(text));
});
