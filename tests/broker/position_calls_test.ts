import assert from "node:assert/strict";
import { PositionCalls, type PositionQuestion } from "../../lib/broker/position_calls.ts";
import { nextTurn } from "../../lib/broker/wait.ts";
import { ZERO } from "../../lib/codec/id.ts";
import type { Position } from "../../lib/redis/position.ts";

const QUESTION: PositionQuestion = { cursor: ZERO, isGuess: false, topics: ["a", "b"] };

/** What is sent, and calls whose n-th answer says `now: n`. */
function recording(): { sent: PositionQuestion[]; calls: PositionCalls } {
  const sent: PositionQuestion[] = [];
  const calls = new PositionCalls((question) => {
    const now = sent.push(question);
    const position: Position = {
      ...{ generation: 1, clock: ZERO, now, purged: ZERO, lost: false, topics: [] },
    };
    return Promise.resolve(position);
  });
  return { sent, calls };
}

Deno.test("PositionCalls sends one call for all that ask the same in one turn", async () => {
  const { sent, calls } = recording();
  const asking = Array.from({ length: 100 }, async (_, n) => {
    for (let i = 0; i < n; i++) await Promise.resolve();
    return await calls.get({ ...QUESTION });
  });
  const answers = await Promise.all(asking);
  assert.deepEqual(sent, [QUESTION]);
  assert.deepEqual(new Set(answers.map(({ now }) => now)), new Set([1]));
});

Deno.test("PositionCalls keeps apart what differs", async () => {
  const { sent, calls } = recording();
  const questions = [
    QUESTION,
    { ...QUESTION, cursor: { ms: 1, seq: 0 } },
    { ...QUESTION, isGuess: true },
    { ...QUESTION, topics: ["a"] },
    { ...QUESTION, topics: [] },
  ];
  await Promise.all(questions.map((question) => calls.get(question)));
  assert.deepEqual(sent, questions);
});

Deno.test("PositionCalls never answers with what was sent before it was asked", async () => {
  const sending = Promise.withResolvers<void>();
  const answers = [Promise.withResolvers<Position>(), Promise.withResolvers<Position>()];
  let sent = 0;
  const calls = new PositionCalls(() => {
    const answer = answers[sent++]!.promise;
    sending.resolve();
    return answer;
  });
  const before = calls.get(QUESTION);
  await sending.promise;
  const after = calls.get(QUESTION);
  await nextTurn();
  assert.equal(sent, 2);
  const position: Position = {
    ...{ generation: 1, clock: ZERO, now: 0, purged: ZERO, lost: false, topics: [] },
  };
  for (const [i, { resolve }] of answers.entries()) resolve({ ...position, now: i });
  assert.deepEqual([(await before).now, (await after).now], [0, 1]);
});

Deno.test("PositionCalls gives a failure to all that share the call, and asks anew", async () => {
  let sent = 0;
  const calls = new PositionCalls(() => Promise.reject(new Error(`call ${++sent}`)));
  const both = [calls.get(QUESTION), calls.get(QUESTION)];
  for (const one of both) await assert.rejects(one, /call 1/);
  await assert.rejects(calls.get(QUESTION), /call 2/);
});
