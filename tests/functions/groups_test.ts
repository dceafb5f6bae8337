import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publish, send } from "../_support/http.ts";
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

/** Lets messages of `jobs` die that are leased and given back until their deliveries run out. */
async function letDie(url: string, count: number): Promise<string[]> {
  const ids = await publishWork(url, count);
  for (let left = count; left > 0;) {
    const { lease, messages } = await pull(url, { max: 100 });
    const bad = messages.filter(({ id }) => ids.includes(id)).map(({ id }) => id);
    left -= (await ack(url, bad, { outcome: "nack", lease })).done;
  }
  return ids;
}

Deno.test("GET /topics/{topic} shows its groups with lag, pending, the oldest's age and the consumers", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url, { group: "b", maxDeliveries: 7 });
  await putGroup(url, { topic: "j*", group: "a" });
  await publishWork(url, 5);
  await pull(url, { group: "b", consumer: "worker", max: 2 });
  const [b, a] = await groupsOf(url).then((groups) =>
    groups.toSorted((one, other) => one.topic < other.topic ? 1 : -1)
  );
  assert.ok(a !== undefined && b !== undefined);
  assert.deepEqual({ ...a, consumers: [] }, {
    topic: "j*",
    group: "a",
    lag: 5,
    pending: 0,
    oldestPendingMs: null,
    dead: 0,
    maxDeliveries: 5,
    consumers: [],
  });
  const { oldestPendingMs, consumers, ...rest } = b;
  assert.deepEqual(rest, {
    topic: "jobs",
    group: "b",
    lag: 3,
    pending: 2,
    dead: 0,
    maxDeliveries: 7,
  });
  assert.ok(oldestPendingMs !== null && oldestPendingMs >= 0 && oldestPendingMs < 10_000);
  assert.deepEqual(consumers.map(({ name, leased }) => [name, leased]), [["worker", 2]]);
  assert.ok(Date.now() - Date.parse(consumers[0]?.seen ?? "") < 10_000);
});

Deno.test("PUT /topics/{topic}/groups/{group} sets most deliveries, and null goes back to the default", async () => {
  await using fixture = await startRunnel();
  const put = (json: unknown) =>
    send(`${fixture.url}/topics/jobs/groups/g`, { method: "PUT", json });
  assert.deepEqual((await put({ maxDeliveries: 3 })).body, {
    topic: "jobs",
    group: "g",
    maxDeliveries: 3,
  });
  assert.equal((await put({})).body.maxDeliveries, 3, "what is absent stays");
  assert.equal((await put({ maxDeliveries: null })).body.maxDeliveries, 5);
});

Deno.test("PUT /topics/{topic}/groups/{group} starts a new group where since says, of a pattern too", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await publishWork(url, 3);
  for (const topic of ["jobs", "*"]) {
    await putGroup(url, { topic, since: "last:2" });
    assert.deepEqual(dataOf(await pull(url, { topic, max: 10 })), [1, 2], topic);
  }
});

Deno.test("DELETE /topics/{topic}/groups/{group} takes a group with what it holds", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  for (const topic of ["jobs", "j*"]) {
    const path = `${url}/topics/${encodeURIComponent(topic)}/groups/g`;
    await putGroup(url, { topic });
    await publishWork(url, 3);
    await pull(url, { topic, max: 2 });
    assert.equal((await send(path, { method: "DELETE" })).status, 204);
    assert.deepEqual(await groupsOf(url), []);
    assertProblem(await send(path, { method: "DELETE" }), { status: 404, code: "not_found" });
    assert.deepEqual((await pull(url, { topic, max: 10 })).messages, [], "it starts anew");
    await send(path, { method: "DELETE" });
  }
  assert.deepEqual(await fixture.keys(":g:"), [], "nothing is left");
});

Deno.test("retention never takes work: what a group has not been given stays, and what it holds is kept", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_MESSAGES: "5" } });
  const { url } = fixture;
  await putGroup(url);
  const ids = await publishWork(url, 20);
  assert.equal((await readHistory(url, "jobs")).length, 20);
  const { messages } = await pull(url, { max: 20, leaseMs: 100 });
  assert.deepEqual(messages.map(({ id }) => id), ids);
  await publishWork(url, 1, "elsewhere");
  await publish(url, { topic: "jobs", data: "one more" });
  assert.equal((await readHistory(url, "jobs")).length, 5, "leases hold copies of their own");
  await until(async () => {
    const again = await pull(url, { max: 100 });
    return again.messages.some(({ data, deliveries }) => data === 0 && deliveries === 2);
  });
});

Deno.test("POST /publish answers 507 topic_full with the group where the backlog is ten times the most messages", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_MESSAGES: "2" } });
  const { url } = fixture;
  await putGroup(url, { group: "slow" });
  await putGroup(url, { group: "quick" });
  const ids = await publishWork(url, 20);
  await ack(url, idsOf(await pull(url, { group: "quick", max: 100 })), { group: "quick" });
  const full = await publish(url, { topic: "jobs", data: "too much" });
  const { detail } = assertProblem(full, { status: 507, code: "topic_full" });
  assert.match(`${detail}`, /slow/);
  await pull(url, { group: "slow", max: 5 });
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).status, 507, "a lease is no ack");
  await ack(url, ids.slice(0, 1), { group: "slow" });
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).status, 200);
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).status, 507);
  await send(`${url}/topics/jobs/groups/slow`, { method: "DELETE" });
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).status, 200);
});

Deno.test("DELETE /topics/{topic} frees its groups of what was there, and they go on with what comes", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_MESSAGES: "2" } });
  const { url } = fixture;
  for (const topic of ["jobs", "j*"]) await putGroup(url, { topic });
  await publishWork(url, 20);
  for (const topic of ["jobs", "j*"]) await pull(url, { topic, max: 5, leaseMs: 100 });
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).status, 507);
  await send(`${url}/topics/jobs`, { method: "DELETE" });
  for (const topic of ["jobs", "j*"]) {
    assert.deepEqual((await pull(url, { topic, waitMs: 300, max: 10 })).messages, []);
    const waiting = pull(url, { topic, waitMs: 20_000 });
    assert.equal((await publish(url, { topic: "jobs", data: topic })).status, 200);
    assert.deepEqual(dataOf(await deadline(waiting, 5_000)), [topic]);
    await pull(url, { topic: topic === "jobs" ? "j*" : "jobs", max: 10 });
  }
  for (const { pending } of await groupsOf(url)) assert.equal(pending, 2);
});

Deno.test("POST /topics/{topic}/redrive puts all dead letters back to their group, once, with deliveries from 1", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  for (const group of ["g", "other"]) await putGroup(url, { group, maxDeliveries: 1 });
  const ids = await letDie(url, 3);
  assert.equal((await groupsOf(url)).find(({ group }) => group === "g")?.dead, 3);
  const redrive = (json: unknown) => send(`${url}/topics/jobs/redrive`, { json });
  const waiting = pull(url, { max: 10, waitMs: 20_000 });
  assert.deepEqual((await redrive({})).body, { redriven: 3, unknown: [] });
  const first = await deadline(waiting, 5_000, "the redriven messages");
  const second = await pull(url, { max: 10 });
  const back = [...first.messages, ...second.messages];
  assert.deepEqual(back.map(({ id, deliveries }) => [id, deliveries]), ids.map((id) => [id, 1]));
  assert.deepEqual((await redrive({})).body, { redriven: 0, unknown: [] });
  assert.equal((await ack(url, ids)).done, 3);
  const [, other] = await groupsOf(url);
  assert.deepEqual([other?.group, other?.lag], ["other", 3], "the others get nothing twice");
});

Deno.test("POST /topics/{topic}/redrive takes dead letters by id, or of one group", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url, { maxDeliveries: 1 });
  await letDie(url, 3);
  const dead = (await readHistory(url, "$dead.jobs")).map(({ id }) => `${id}`);
  const redrive = async (json: unknown) =>
    (await send(`${url}/topics/jobs/redrive`, { json })).body;
  assert.deepEqual(await redrive({ ids: [dead[1], "1-1"] }), { redriven: 1, unknown: ["1-1"] });
  assert.deepEqual(await redrive({ ids: [dead[1]] }), { redriven: 0, unknown: [dead[1]] });
  assert.deepEqual(dataOf(await pull(url, { max: 5 })), [1]);
  assert.deepEqual(await redrive({ group: "none" }), { redriven: 0, unknown: [] });
  assert.deepEqual(await redrive({ group: "g" }), { redriven: 2, unknown: [] });
});

Deno.test("the groups functions refuse wrong input and point at it", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const cases: [string, string, string, unknown, { code: string; pointer: string }][] = [
    ["a group with |", "PUT", "t/groups/a%7Cb", {}, { code: "invalid_group", pointer: "/{group}" }],
    ["a topic with white space", "PUT", "a%20b/groups/g", {}, {
      code: "invalid_topic",
      pointer: "/{topic}",
    }],
    ["no delivery at all", "PUT", "t/groups/g", { maxDeliveries: 0 }, {
      code: "invalid_request",
      pointer: "#/maxDeliveries",
    }],
    ["an unknown setting", "PUT", "t/groups/g", { nope: 1 }, {
      code: "invalid_request",
      pointer: "#/nope",
    }],
    ["a start that is none", "PUT", "t/groups/g", { since: "x" }, {
      code: "invalid_cursor",
      pointer: "#/since",
    }],
    ["a pattern to redrive", "POST", "t*/redrive", {}, {
      code: "invalid_topic",
      pointer: "/{topic}",
    }],
    ["an id that is none", "POST", "t/redrive", { ids: ["x"] }, {
      code: "invalid_request",
      pointer: "#/ids/0",
    }],
  ];
  for (const [name, method, path, json, expected] of cases) {
    await t.step(name, async () => {
      const answer = await send(`${url}/topics/${path}`, { method, json });
      assertProblem(answer, { status: 400, ...expected });
    });
  }
  assert.deepEqual((await tryPull(url, { topic: "t" })).status, 200, "no refusal made the group");
});
