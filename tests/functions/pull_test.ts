import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { deadline, until } from "../_support/until.ts";
import {
  ack,
  dataOf,
  groupsOf,
  idsOf,
  publishWork,
  pull,
  putGroup,
  tryPull,
} from "../_support/work.ts";

Deno.test("POST /pull makes a group that starts at the end, also on a topic that has no message yet", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  assert.deepEqual(await pull(url), { lease: null, leaseUntil: null, messages: [], more: false });
  await publishWork(url, 2);
  await pull(url, { group: "later" });
  await publishId(url, { topic: "jobs", data: "new" });
  assert.deepEqual(dataOf(await pull(url, { max: 10 })), [0, 1, "new"]);
  assert.deepEqual(dataOf(await pull(url, { group: "later", max: 10 })), ["new"]);
});

Deno.test("POST /pull starts a new group where since says", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const ids = await publishWork(url, 5);
  const cases: [since: string, data: number[]][] = [
    ["latest", []],
    ["earliest", [0, 1, 2, 3, 4]],
    ["last:2", [3, 4]],
    ["last:99", [0, 1, 2, 3, 4]],
    [ids[1] ?? "", [2, 3, 4]],
    ["1h", [0, 1, 2, 3, 4]],
    ["2020-01-01T00:00:00Z", [0, 1, 2, 3, 4]],
    ["2050-01-01T00:00:00Z", []],
  ];
  for (const [since, data] of cases) {
    await t.step(since, async () => {
      const group = since.replaceAll(/[^a-z0-9]/g, "_");
      assert.deepEqual(dataOf(await pull(url, { group, since, max: 10 })), data);
    });
  }
  await t.step("and not one that is there", async () => {
    assert.deepEqual(dataOf(await pull(url, { group: "latest", since: "earliest", max: 9 })), []);
  });
});

Deno.test("POST /pull leases each message to one consumer, in order, and says whether there is more", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  const ids = await publishWork(url, 5);
  const first = await pull(url, { consumer: "a", max: 2 });
  const second = await pull(url, { consumer: "b", max: 2 });
  const third = await pull(url, { max: 2 });
  assert.deepEqual([first, second, third].map(idsOf), [
    ids.slice(0, 2),
    ids.slice(2, 4),
    ids.slice(4),
  ]);
  assert.deepEqual([first, second, third].map(({ more }) => more), [true, true, false]);
  assert.equal(new Set([first, second, third].map(({ lease }) => lease)).size, 3);
  const [message] = first.messages;
  assert.deepEqual([message?.topic, message?.data, message?.deliveries], ["jobs", 0, 1]);
  const left = Date.parse(first.leaseUntil ?? "") - Date.now();
  assert.ok(left > 20_000 && left < 31_000, `${left} ms`);
  assert.deepEqual((await pull(url)).messages, []);
});

Deno.test("POST /pull gives a message again whose lease ran out, with its deliveries counted", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  const [id] = await publishWork(url, 1);
  for (const deliveries of [1, 2, 3]) {
    const { messages } = await deadline(pull(url, { leaseMs: 100, waitMs: 5_000 }), 5_000);
    assert.deepEqual(messages.map((one) => [one.id, one.deliveries]), [[id, deliveries]]);
  }
});

Deno.test("POST /pull with waitMs answers when a message is published, on whatever instance", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  for (const url of [fixture.url, other.url]) {
    const waiting = pull(url, { waitMs: 20_000 });
    await until(async () => (await groupsOf(fixture.url)).length === 1);
    const { body } = await publish(fixture.url, { topic: "jobs", data: url });
    const { messages } = await deadline(waiting, 5_000, "the pull");
    assert.deepEqual(messages.map(({ id, data }) => [id, data]), [[body.id, url]]);
  }
});

Deno.test("POST /pull with waitMs answers with nothing when time is up, and before that does not", async () => {
  await using fixture = await startRunnel();
  const before = performance.now();
  assert.deepEqual((await pull(fixture.url, { waitMs: 300 })).messages, []);
  assert.ok(performance.now() - before >= 295);
});

Deno.test("POST /pull lets a hundred consumers wait, and wakes one for each message", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  const answered: number[] = [];
  const waiting: Promise<void>[] = [];
  for (let i = 0; i < 100; i++) {
    const consumer = `c${i}`;
    waiting.push(
      pull(url, { consumer, waitMs: 30_000 }).then(({ messages }) => {
        assert.equal(messages.length, 1);
        answered.push(Number(messages[0]?.data));
      }),
    );
  }
  await until(async () => (await groupsOf(url))[0]?.consumers.length === 100);
  for (let data = 0; data < 50; data++) await publishId(url, { topic: "jobs", data });
  await publishWork(url, 50);
  await deadline(Promise.all(waiting), 10_000, "all consumers");
  assert.equal(answered.length, 100);
  assert.deepEqual((await groupsOf(url)).map(({ lag, pending }) => [lag, pending]), [[0, 100]]);
});

Deno.test("POST /pull takes from every topic of a pattern, those that appear later too", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await publishWork(url, 2, "jobs.old");
  const names = { topic: "jobs.*", group: "g" };
  assert.deepEqual(dataOf(await pull(url, { ...names, since: "earliest", max: 10 })), [0, 1]);
  const waiting = pull(url, { ...names, waitMs: 20_000 });
  await publishId(url, { topic: "jobs.new", data: "new" });
  const { messages: [message] } = await deadline(waiting, 5_000);
  assert.deepEqual([message?.topic, message?.data], ["jobs.new", "new"]);
  await publishId(url, { topic: "elsewhere", data: 1 });
  await publishId(url, { topic: "jobs.a.b", data: 1 });
  assert.deepEqual((await pull(url, { ...names, max: 10 })).messages, []);
  assert.deepEqual(await ack(url, [message?.id ?? ""], names), { done: 1, unknown: [] });
  const [group] = await groupsOf(url, "jobs.new");
  assert.deepEqual([group?.topic, group?.group, group?.pending], ["jobs.*", "g", 0]);
});

Deno.test("POST /pull gives the same attempt the same messages, and refuses one that is over", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  await publishWork(url, 5);
  const one = { consumer: "a", attempt: 1, max: 2 };
  const first = await pull(url, one);
  const again = await pull(url, one);
  assert.deepEqual([idsOf(again), again.lease], [idsOf(first), first.lease]);
  assert.deepEqual(again.messages.map(({ deliveries }) => deliveries), [1, 1]);
  assert.ok((again.leaseUntil ?? "") >= (first.leaseUntil ?? ""));
  await ack(url, idsOf(first).slice(0, 1));
  assert.deepEqual(dataOf(await pull(url, one)), [1], "what the lease still holds");
  assert.deepEqual(dataOf(await pull(url, { ...one, attempt: 2 })), [2, 3]);
  assertProblem(await tryPull(url, one), { status: 409, code: "stale_attempt" });
  assert.deepEqual(dataOf(await pull(url, { ...one, consumer: "b" })), [4], "each has its own");
});

Deno.test("POST /pull repeats an attempt that holds nothing any more at once, whatever waitMs says", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  await publishWork(url, 1);
  const one = { consumer: "a", attempt: 1, waitMs: 30_000 };
  await ack(url, idsOf(await pull(url, one)));
  assert.deepEqual((await deadline(pull(url, one), 5_000)).messages, []);
});

Deno.test("POST /pull gives back at once what it leased for a client that has gone", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  const leave = new AbortController();
  const gone = send(`${url}/pull`, {
    json: { topic: "jobs", group: "g", consumer: "gone", waitMs: 30_000 },
    signal: leave.signal,
  });
  await until(async () => (await groupsOf(url))[0]?.consumers.some(({ name }) => name === "gone"));
  leave.abort();
  await assert.rejects(gone);
  await publishWork(url, 1);
  const { messages } = await deadline(pull(url, { waitMs: 20_000 }), 5_000, "the message");
  assert.equal(messages.length, 1);
});

Deno.test("POST /pull does not deliver what has expired", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await pull(url);
  await publish(url, { topic: "jobs", data: "short", ttlMs: 1 });
  await publish(url, { topic: "jobs", data: "long", ttlMs: 60_000 });
  await until(async () => dataOf(await pull(url, { max: 10 })).at(-1) === "long");
  const [group] = await groupsOf(url);
  assert.deepEqual([group?.lag, group?.pending], [0, 1]);
});

Deno.test("POST /pull cleans consumers up that hold nothing and have not come for long", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  for (const consumer of ["dead", "alive"]) await pull(url, { consumer });
  const names = async () => (await groupsOf(url))[0]?.consumers.map(({ name }) => name).sort();
  assert.deepEqual(await names(), ["alive", "dead"]);
  await fixture.command("jobs", "ZADD", "@:g:jobs|g:seen", "1", "dead");
  await until(async () => {
    await publishWork(url, 1);
    await pull(url, { consumer: "alive" });
    return (await names())?.join() === "alive";
  }, { what: "the dead consumer to be forgotten" });
});

Deno.test("POST /pull answers whoever waits when the server shuts down, and takes nobody new", async () => {
  await using fixture = await startRunnel();
  const { url, runnel } = fixture;
  const waiting = pull(url, { waitMs: 30_000 });
  await until(async () => (await groupsOf(url)).length === 1);
  await runnel.app.drain();
  assert.deepEqual((await deadline(waiting, 2_000)).messages, []);
  assertProblem(await tryPull(url), { status: 503, code: "shutting_down" });
});

Deno.test("POST /pull refuses wrong input and points at the field", async (t) => {
  await using fixture = await startRunnel();
  const cases: [string, Record<string, unknown>, string][] = [
    ["no topic", { topic: undefined }, "#/topic"],
    ["a topic with white space", { topic: "a b" }, "#/topic"],
    ["no group", { group: undefined }, "#/group"],
    ["an empty group", { group: "" }, "#/group"],
    ["a group with |", { group: "a|b" }, "#/group"],
    ["a group with *", { group: "a*" }, "#/group"],
    ["a group with white space", { group: "a b" }, "#/group"],
    ["a group of 129 bytes", { group: "x".repeat(129) }, "#/group"],
    ["a consumer with |", { consumer: "|" }, "#/consumer"],
    ["an attempt without a consumer", { attempt: 1 }, "#/attempt"],
    ["an attempt below 0", { consumer: "a", attempt: -1 }, "#/attempt"],
    ["a max of 0", { max: 0 }, "#/max"],
    ["a max of 1,001", { max: 1_001 }, "#/max"],
    ["a wait of more than a minute", { waitMs: 60_001 }, "#/waitMs"],
    ["a lease of 99 ms", { leaseMs: 99 }, "#/leaseMs"],
    ["a lease of more than 12 hours", { leaseMs: 43_200_001 }, "#/leaseMs"],
    ["an unknown field", { nope: 1 }, "#/nope"],
  ];
  for (const [name, fields, pointer] of cases) {
    await t.step(name, async () => {
      const expected = { status: 400, code: "invalid_request", pointer };
      assertProblem(await tryPull(fixture.url, fields), expected);
    });
  }
  await t.step("a since that is none", async () => {
    const expected = { status: 400, code: "invalid_cursor", pointer: "#/since" };
    assertProblem(await tryPull(fixture.url, { since: "yesterday" }), expected);
  });
  await t.step("an unknown parameter", async () => {
    const json = { topic: "jobs", group: "g" };
    const expected = { status: 400, code: "invalid_request", pointer: "?x" };
    assertProblem(await send(`${fixture.url}/pull?x=1`, { json }), expected);
  });
});
