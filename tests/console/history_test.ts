import assert from "node:assert/strict";
import { History, SHOWN_SECONDS } from "../../lib/console/overview/history.ts";
import { report } from "../_support/stats_reports.ts";

const START = Date.parse("2026-11-26T12:00:00Z");
const SECOND = START / 1_000;
const at = (second: number) => START + second * 1_000;

Deno.test("History puts together what all instances say of a second", () => {
  const history = new History();
  history.add(report({ at: at(0), instance: "a", in: 3, intervalMs: 1_500, subscribers: 2 }));
  history.add(report({ at: at(0) + 900, instance: "b", in: 5, intervalMs: 500, subscribers: 4 }));
  const summary = history.at(SECOND);
  assert.equal(summary?.in, 12);
  assert.equal(summary?.subscribers, 6);
  assert.equal(summary?.instances, 2);
});

Deno.test("History bridges a tick that came early or late, and no longer silence", () => {
  const history = new History();
  // of one whose ticks drift there is none in second 2, and two in second 3
  for (const ms of [0, 1_000, 3_000, 3_999, 10_000]) history.add(report({ at: START + ms }));
  const { seconds, summaries } = history.upTo(SECOND + 10);
  assert.equal(seconds.length, 60);
  assert.equal(seconds.at(-1), SECOND + 10);
  const known = summaries.slice(-11).map((summary) => summary === undefined ? "." : "#").join("");
  assert.equal(known, "#####....##");
});

Deno.test("History lets an instance go that says nothing, and keeps the others", () => {
  const history = new History();
  for (let second = 0; second < 20; second++) {
    history.add(report({ at: at(second), instance: "a" }));
    if (second < 10) history.add(report({ at: at(second), instance: "b" }));
  }
  assert.deepEqual(
    [9, 10, 11, 19].map((second) => history.at(SECOND + second)?.instances),
    [2, 2, 1, 1],
  );
});

Deno.test("History keeps what is shown, and forgets what is older", () => {
  const history = new History();
  for (let second = 0; second < 1_000; second++) history.add(report({ at: at(second) }));
  assert.equal(history.newest, SECOND + 999);
  assert.equal(history.at(SECOND + 600), undefined);
  const { seconds, summaries } = history.upTo(SECOND + 999);
  assert.equal(seconds.length, SHOWN_SECONDS);
  assert.ok(summaries.every((summary) => summary !== undefined));
});

Deno.test("History begins anew when the servers' clock was set back, and takes no time that is none", () => {
  const history = new History();
  history.add(report({ at: at(7_200) }));
  history.add({ ...report({ at: at(0) }), time: "soon" });
  history.add(report({ at: at(0) }));
  assert.equal(history.newest, SECOND);
  assert.ok(history.at(SECOND));
  assert.equal(history.at(SECOND + 7_200), undefined);
});

Deno.test("History shows what there was since the first report, a minute at the least", () => {
  const history = new History();
  assert.equal(history.upTo(SECOND).seconds.length, 60);
  for (let second = 0; second < 100; second++) history.add(report({ at: at(second) }));
  const { seconds } = history.upTo(SECOND + 99);
  assert.deepEqual([seconds[0], seconds.length], [SECOND, 100]);
});
