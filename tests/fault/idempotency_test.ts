import assert from "node:assert/strict";
import { Script } from "../../lib/redis/script.ts";
import { COMMIT } from "../../lib/redis/scripts/commit.lua.ts";
import { range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { type Answer, assertProblem, publish, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

/** A commit on its way to Redis, and no other script. */
const A_COMMIT = new RegExp(new Script(COMMIT).sha);

interface Scene {
  /** Reaches Redis through the proxy. */
  readonly cut: Runnel;
  readonly other: Runnel;
  readonly proxy: TcpProxy;
}

/** Two instances on one Redis. */
async function withTwo(act: (scene: Scene) => Promise<void>): Promise<void> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using cut = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  await using other = await openRunnel({ redisUrl: redis.url });
  await act({ cut, other, proxy });
}

/** Has Redis store what is sent, and loses the answer for longer than a publisher is kept waiting. */
async function loseAnswer(proxy: TcpProxy, attempt: () => Promise<Answer>): Promise<void> {
  const { done } = proxy.cutAfterRequest(A_COMMIT);
  const answer = attempt();
  await done;
  proxy.down();
  assertProblem(await answer, { status: 503, code: "outcome_unknown" });
  proxy.up();
}

interface Result {
  readonly id?: string;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: string; readonly status: number };
}

const resultsOf = ({ body }: Answer) => body.results as Result[];
const batchOf = (topic: string, keyed: boolean) =>
  range(0, 6).map((n) => ({
    topic,
    data: n,
    ...(keyed ? { idempotencyKey: `${topic} ${n}` } : {}),
  }));
const dataIn = async (url: string, topic: string) =>
  (await readHistory(url, topic)).map(({ data }) => data);

Deno.test("a message that was stored, and whose answer was lost, is stored once when another instance is asked again", async () => {
  await withTwo(async ({ cut, other, proxy }) => {
    await publish(cut.url, { topic: "warm", data: 0 });
    const message = { topic: "t", data: 1, idempotencyKey: "k" };
    await loseAnswer(proxy, () => publish(cut.url, message));
    const again = await publish(other.url, message);
    assert.deepEqual([again.status, again.body.duplicate], [200, true]);
    const [stored, ...more] = await readHistory(other.url, "t");
    assert.deepEqual([stored?.id, more], [again.body.id, []]);
    const conflict = await publish(other.url, { ...message, data: 2 });
    assertProblem(conflict, { status: 409, code: "idempotency_conflict" });
    await until(async () => (await publish(cut.url, message)).body.id === again.body.id);
  });
});

Deno.test("each message of a batch whose answer was lost is stored once when another instance is asked again", async () => {
  await withTwo(async ({ cut, other, proxy }) => {
    await publish(cut.url, { topic: "warm", data: 0 });
    const json = batchOf("t", true);
    await loseAnswer(proxy, () => send(`${cut.url}/batch`, { json }));
    // the publisher cuts its batches otherwise this time, and has more to say
    const first = await send(`${other.url}/batch`, { json: json.slice(0, 4) });
    assert.deepEqual(resultsOf(first).map(({ duplicate }) => duplicate), [true, true, true, true]);
    const fresh = { topic: "t", data: 6, idempotencyKey: "t 6" };
    const changed = { ...json[5], data: "changed" };
    const second = await send(`${other.url}/batch`, { json: [json[4], changed, fresh] });
    assert.equal(second.status, 207);
    const [known, conflict, stored] = resultsOf(second);
    assert.equal(known?.duplicate, true);
    assert.deepEqual([conflict?.error?.code, conflict?.error?.status], [
      "idempotency_conflict",
      409,
    ]);
    assert.equal(stored?.duplicate, undefined);
    assert.deepEqual(await dataIn(other.url, "t"), range(0, 7));
    const ids = (await readHistory(other.url, "t")).map(({ id }) => id);
    const told = [...resultsOf(first), known, undefined, stored].map((one) => one?.id);
    assert.deepEqual(told, ids.map((id, n) => n === 5 ? undefined : id));
  });
});

Deno.test("each line of an NDJSON upload is stored once when another instance gets all of them again", async () => {
  await withTwo(async ({ cut, other }) => {
    const body = batchOf("t", true).map((one) => JSON.stringify(one)).join("\n");
    const upload = async ({ url }: Runnel) =>
      await readNdjson(
        await fetch(`${url}/batch`, {
          method: "POST",
          headers: { "content-type": "application/x-ndjson" },
          body,
        }),
      );
    const [first, second] = [await upload(cut), await upload(other)];
    const duplicates = second.slice(0, 6).map(({ id, duplicate }) => [id, duplicate]);
    assert.deepEqual(duplicates, first.slice(0, 6).map(({ id }) => [id, true]));
    assert.deepEqual(second[6], { accepted: 6, rejected: 0 });
    assert.deepEqual(await dataIn(other.url, "t"), range(0, 6));
  });
});

Deno.test("twin: a batch without idempotency keys whose answer was lost is stored twice", async () => {
  await withTwo(async ({ cut, other, proxy }) => {
    await publish(cut.url, { topic: "warm", data: 0 });
    const json = batchOf("t", false);
    await loseAnswer(proxy, () => send(`${cut.url}/batch`, { json }));
    await send(`${other.url}/batch`, { json });
    assert.deepEqual(await dataIn(other.url, "t"), [...range(0, 6), ...range(0, 6)]);
  });
});

Deno.test("the same key sent to two instances at once is stored once, and both name the same message", async () => {
  await withTwo(async ({ cut, other }) => {
    const answers = await Promise.all(
      range(0, 40).map((n) => {
        const { url } = n % 2 === 0 ? cut : other;
        const key = Math.floor(n / 8);
        return publish(url, { topic: "t", data: key, idempotencyKey: `${key}` });
      }),
    );
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(answers.filter(({ body }) => body.duplicate === false).length, 5);
    assert.equal(new Set(answers.map(({ body }) => body.id)).size, 5);
    const data = await dataIn(other.url, "t");
    assert.deepEqual(data.toSorted(), range(0, 5));
  });
});

Deno.test("an idempotency key is remembered as long as RUNNEL_IDEMPOTENCY_MS says, and then free again", async () => {
  await using redis = await startRedis({ appendonly: false });
  const env = { RUNNEL_IDEMPOTENCY_MS: "1500" };
  await using one = await openRunnel({ redisUrl: redis.url, env });
  await using other = await openRunnel({ redisUrl: redis.url, env });
  const message = { topic: "t", data: 1, idempotencyKey: "k" };
  assert.equal((await publish(one.url, message)).body.duplicate, false);
  await until(async () => (await publish(other.url, message)).body.duplicate === false, {
    everyMs: 100,
  });
  const [first, second] = await readHistory(one.url, "t");
  const apart = Date.parse(second?.time ?? "") - Date.parse(first?.time ?? "");
  assert.ok(apart >= 1_500, `${apart} ms`);
});
