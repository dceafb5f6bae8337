import assert from "node:assert/strict";
import { Inflow, type InflowOptions } from "../../lib/broker/inflow.ts";
import { formatId } from "../../lib/codec/id.ts";
import type { TopicEntry } from "../../lib/redis/entry.ts";
import type { Frame, Probe } from "../../lib/redis/frame.ts";
import { idOf, messageOf } from "../_support/ids.ts";
import { until } from "../_support/until.ts";

function frame(topic: string, n: number, large = false): Frame {
  const base = {
    kind: "frame" as const,
    topic,
    logPrevious: idOf(n - 1),
    topicPrevious: idOf(n - 1),
    first: idOf(n),
    last: idOf(n),
    count: 1,
  };
  return large ? base : { ...base, messages: [messageOf(topic, n)] };
}

function probe(n: number): Probe {
  return { kind: "probe", generation: 1, clock: idOf(n), number: n };
}

function entry({ topic, first }: Frame): TopicEntry {
  return { id: first, previous: idOf(0), number: 1, message: messageOf(topic, first.ms) };
}

/** An inflow that writes down what it does, with fetches that end when told. */
function stage(changes: Partial<InflowOptions> = {}) {
  const said: string[] = [];
  const fetches: (() => void)[] = [];
  const inflow = new Inflow({
    fetch: (frame) => new Promise((resolve) => fetches.push(() => resolve([entry(frame)]))),
    wants: () => true,
    onBatch: ({ topic, batch }) => {
      said.push(`${topic} ${batch.ids.map(({ ms }) => ms)}`);
      return 1;
    },
    onSkip: (last) => said.push(`skip ${last.ms}`),
    onProbe: ({ number }) => said.push(`probe ${number}`),
    onBreak: (why) => said.push(`break: ${why}`),
    ...changes,
  });
  return { inflow, said, fetches };
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("Inflow gives on frames of one turn and one topic as one batch", async () => {
  const { inflow, said } = stage();
  for (const one of [frame("a", 1), frame("a", 2), frame("b", 3), frame("a", 4)]) inflow.push(one);
  assert.deepEqual(said, [], "not before the turn has ended");
  await settle();
  assert.deepEqual(said, ["a 1,2", "b 3", "a 4"]);
});

Deno.test("Inflow gathers frames after a delivery to many, and gives them on as one batch", async () => {
  const said: string[] = [];
  const { inflow } = stage({
    onBatch: ({ batch }) => {
      said.push(`${batch.ids.map(({ ms }) => ms)}`);
      return 1_000;
    },
  });
  inflow.push(frame("a", 1));
  await settle();
  for (const n of [2, 3, 4]) {
    inflow.push(frame("a", n));
    await settle();
  }
  assert.deepEqual(said, ["1"], "a rest");
  await until(() => said.length === 2, { timeoutMs: 5_000 });
  assert.deepEqual(said, ["1", "2,3,4"]);
});

Deno.test("Inflow rests once after deliveries of several topics to many, when nothing waits", async () => {
  const said: string[] = [];
  const { inflow } = stage({
    onBatch: ({ topic, batch }) => {
      said.push(`${topic} ${batch.ids.map(({ ms }) => ms)}`);
      return 1_000;
    },
  });
  for (const one of [frame("a", 1), frame("b", 2), frame("a", 3)]) inflow.push(one);
  await settle();
  assert.deepEqual(said, ["a 1", "b 2", "a 3"]);
  inflow.push(frame("a", 4));
  await settle();
  assert.equal(said.length, 3, "a rest");
  await until(() => said.length === 4, { timeoutMs: 5_000 });
});

Deno.test("Inflow gives on each frame once, on however many channels it came", async () => {
  const { inflow, said } = stage();
  for (const n of [1, 1, 2, 1, 2]) inflow.push(frame("a", n));
  await settle();
  inflow.push(frame("a", 2));
  inflow.push(frame("a", 3));
  await settle();
  assert.deepEqual(said, ["a 1,2", "a 3"]);
});

Deno.test("Inflow lets a probe pass only after what came before it", async () => {
  const { inflow, said, fetches } = stage();
  for (const one of [frame("a", 1), frame("a", 2, true), probe(1), frame("b", 3)]) inflow.push(one);
  await settle();
  assert.deepEqual(said, ["a 1"]);
  fetches.shift()?.();
  await settle();
  assert.deepEqual(said, ["a 1", "a 2", "probe 1", "b 3"]);
});

Deno.test("Inflow leaves out a large frame that nobody wants", async () => {
  const { inflow, said } = stage({ wants: () => false });
  inflow.push(frame("a", 1, true));
  inflow.push(frame("a", 2));
  await settle();
  assert.deepEqual(said, ["skip 1", "a 2"]);
});

Deno.test("Inflow breaks where messages are gone or out of reach, and where too many wait", async () => {
  const gone = stage({ fetch: () => Promise.resolve([]) });
  gone.inflow.push(frame("a", 1, true));
  await settle();
  assert.deepEqual(gone.said, ["break: a frame was trimmed before it was read"]);
  const away = stage({ fetch: () => Promise.reject(new Error("down")) });
  away.inflow.push(frame("a", 1, true));
  await settle();
  assert.deepEqual(away.said, ["break: a frame's messages are out of reach"]);
  const many = stage();
  many.inflow.push(frame("a", 1, true));
  await settle();
  for (let n = 2; n < 1_100 && many.said.length === 0; n++) many.inflow.push(frame("a", n));
  assert.deepEqual(many.said, ["break: too many frames wait"]);
});

Deno.test("Inflow forgets what waits when it is reset, also what is being fetched", async () => {
  const { inflow, said, fetches } = stage();
  inflow.push(frame("a", 5, true));
  inflow.push(frame("a", 6));
  await settle();
  inflow.reset();
  fetches.shift()?.();
  inflow.push(frame("a", 1));
  await settle();
  assert.deepEqual(said, ["a 1"], `and begins anew below ${formatId(idOf(5))}`);
});

Deno.test("Inflow goes on after a reset from within what it tells", async () => {
  const { inflow, said } = stage({
    onProbe: () => {
      said.push("reset");
      inflow.reset();
    },
  });
  for (const one of [frame("a", 7), probe(1), frame("a", 8)]) inflow.push(one);
  await settle();
  inflow.push(frame("a", 2));
  await settle();
  assert.deepEqual(said, ["a 7", "reset", "a 2"]);
});
