import assert from "node:assert/strict";
import { Api } from "../../../lib/console/api.ts";
import { payloadText } from "../../../lib/console/topic/raw_message.ts";
import { Tail } from "../../../lib/console/topic/tail.ts";
import type { TailRow } from "../../../lib/console/topic/tail_buffer.ts";
import { fill, range } from "../../_support/fill.ts";
import { startRunnel } from "../../_support/fixture.ts";
import { until } from "../../_support/until.ts";

function openTail(url: string, topic = "a"): Tail & Disposable {
  const tail = new Tail({ api: new Api(new URL(`${url}/`)), topic, changed: () => {} });
  return Object.assign(tail, { [Symbol.dispose]: () => tail.stop() });
}

function rowsOf({ rows }: Tail): TailRow[] {
  return range(rows.first, rows.end).flatMap((number) => rows.at(number) ?? []);
}

function dataOf(tail: Tail): string[] {
  return rowsOf(tail).flatMap((row) => row.kind === "message" ? [payloadText(row.message)] : []);
}

function noticesOf(tail: Tail): string[] {
  return rowsOf(tail).flatMap((row) => row.kind === "notice" ? [row.text] : []);
}

Deno.test("a paused tail holds back so many messages, and says how many are not shown", async () => {
  await using runnel = await startRunnel();
  await fill(runnel.url, ["a"], 3);
  using tail = openTail(runnel.url);
  tail.start("earliest");
  await until(() => tail.received === 3);
  tail.pause();
  for (let i = 0; i < 11; i++) await fill(runnel.url, ["a"], 1_000);
  await until(() => tail.held === 11_000);
  assert.equal(dataOf(tail).length, 3);
  tail.resume();
  assert.deepEqual(noticesOf(tail), [
    "2,000 messages are not shown here: more came than a pause can hold",
  ]);
  assert.equal(dataOf(tail).at(-1), "999");
  assert.equal(tail.held, 0);
  assert.equal(tail.rows.length, 9_004);
});

Deno.test("a tail says why the server ended its stream, and goes on without a gap or a duplicate", async () => {
  await using runnel = await startRunnel({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  await fill(runnel.url, ["a"], 3);
  using tail = openTail(runnel.url);
  tail.start("earliest");
  await until(() => noticesOf(tail).some((text) => text.includes("lasted as long as it may")));
  await fill(runnel.url, ["a"], 3);
  await until(() => tail.received >= 6);
  assert.deepEqual(dataOf(tail), ["0", "1", "2", "0", "1", "2"]);
});

Deno.test("a tail that is started elsewhere forgets what it had", async () => {
  await using runnel = await startRunnel();
  const stored = await fill(runnel.url, ["a"], 5);
  using tail = openTail(runnel.url);
  tail.start("earliest");
  await until(() => tail.received === 5);
  tail.pause();
  tail.start(stored[2]?.id ?? "");
  await until(() => tail.received === 2);
  assert.equal(tail.isPaused, false);
  assert.deepEqual(dataOf(tail), ["3", "4"]);
});

Deno.test("a tail whose start the server does not understand is over, and says which parameter it was", async () => {
  await using runnel = await startRunnel();
  using tail = openTail(runnel.url);
  tail.start("yesterday");
  await until(() => tail.state.kind === "closed");
  const fault = tail.state.kind === "closed" ? tail.state.fault : undefined;
  assert.equal(fault?.status, 400);
  assert.equal(fault?.errors[0]?.pointer, "?since");
});
