import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { type Answer, assertProblem, publish, publishId, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

interface Pair extends AsyncDisposable {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly runnel: Runnel;
}

/** A primary with one replica that has caught up, and a Runnel on it. */
async function startPair(
  { url = (primary: RedisServer) => primary.url, env = {} }: {
    url?: (primary: RedisServer) => string;
    env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const args = ["--repl-diskless-sync-delay", "0"];
  const primary = stack.use(await startRedis({ args }));
  const replica = stack.use(
    await startRedis({ args: [...args, "--replicaof", "127.0.0.1", `${primary.port}`] }),
  );
  // it counts as online while it still loads; what it has said that it got, it has
  await until(async () => (await primary.cli("INFO", "replication")).includes("state=online"));
  await primary.cli("PUBLISH", "warm", "1");
  await until(async () => hasCaughtUp(await primary.cli("INFO", "replication")));
  const runnel = stack.use(await openRunnel({ redisUrl: url(primary), env }));
  const all = stack.move();
  return { primary, replica, runnel, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function hasCaughtUp(info: string): boolean {
  const offset = /master_repl_offset:(\d+)/.exec(info)?.[1] ?? "0";
  return offset !== "0" && info.includes(`state=online,offset=${offset},`);
}

const replicated = (fields: Record<string, unknown> = {}) => ({
  topic: "t",
  data: 1,
  durability: "replicated",
  ...fields,
});

/**
 * Whether what was told of the messages to the topics `t0`, `t1` and on is true. On a slow machine some wait too long for
 * their turn, and are told that theirs was not stored.
 */
async function assertHonest(url: string, rounds: readonly (readonly Answer[])[]): Promise<void> {
  const codes = rounds.map((answers) =>
    answers.map(({ status, body }) => status === 200 ? "stored" : `${body.code}`)
  );
  assert.ok(codes.at(-1)?.includes("not_replicated"));
  for (const i of (codes[0] ?? []).keys()) {
    const told = codes.map((round) => round[i] ?? "");
    const stored = told.filter((code) => code === "stored" || code === "not_replicated").length;
    const unknown = told.filter((code) => code === "outcome_unknown").length;
    const { length } = await readHistory(url, `t${i}`);
    assert.ok(length >= stored && length <= stored + unknown, `${length} of ${told} are stored`);
  }
}

Deno.test("POST /publish with durability replicated answers when a replica has the message", async () => {
  await using pair = await startPair();
  const { status, body } = await publish(pair.runnel.url, replicated());
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.replicas, 1);
  // a replica has no Runnel: its own stream says what it has
  assert.ok((await pair.replica.cli("XRANGE", "{rn:0}:t:t", "-", "+")).includes(`${body.id}`));
  const raw = await send(`${pair.runnel.url}/publish/t?durability=replicated`, { body: "x" });
  assert.deepEqual([raw.status, raw.body.replicas], [200, 1]);
  const batch = await send(`${pair.runnel.url}/batch`, {
    json: [replicated(), { topic: "t", data: 2 }, replicated({ data: 3 })],
  });
  const results = batch.body.results as { replicas?: number }[];
  assert.deepEqual(results.map(({ replicas }) => replicas), [1, undefined, 1]);
  assert.deepEqual((await readHistory(pair.runnel.url, "t")).map(({ data }) => data), [
    1,
    "x",
    1,
    2,
    3,
  ]);
});

Deno.test("POST /publish says that a message is stored but not replicated, and a retry waits once more", async () => {
  await using pair = await startPair();
  const { url } = pair.runnel;
  await publish(url, replicated({ data: 0 }));
  pair.replica.pause();
  const message = replicated({ idempotencyKey: "k" });
  const refused = await deadline(publish(url, message), 2_500, "the answer");
  assertProblem(refused, { status: 503, code: "not_replicated" });
  assert.deepEqual([refused.body.retryable, refused.body.replicas], [true, 0]);
  const stored = (await readHistory(url, "t")).at(-1);
  assert.equal(stored?.id, refused.body.id, "it is stored");
  pair.replica.resume();
  const again = await until(async () => {
    const answer = await publish(url, message);
    return answer.status === 200 && answer.body;
  });
  assert.deepEqual(again, { id: stored?.id, topic: "t", duplicate: true, replicas: 1 });
});

Deno.test("whoever waits for replicas that are not there keeps nobody else waiting", async () => {
  await using pair = await startPair();
  const { url } = pair.runnel;
  await publishId(url, { topic: "t", data: "warm" });
  const waiting = range(0, 20).map(() => publish(url, replicated({ replicas: 2 })));
  const start = performance.now();
  for (const n of range(0, 50)) {
    await publishId(url, { topic: "t", data: n });
    const { status } = await publish(url, replicated());
    assert.equal(status, 200);
  }
  const took = performance.now() - start;
  for (const { status, body } of await Promise.all(waiting)) {
    assert.deepEqual([status, body.code, body.replicas], [503, "not_replicated", 1]);
  }
  // fifty in a row, each behind a call that takes a second, would be fifty seconds
  assert.ok(took < 10_000, `${Math.round(took)} ms`);
});

Deno.test("partitions of one Redis wait for replicas together, and each is told what became of its own", async () => {
  await using pair = await startPair({ env: { RUNNEL_PARTITIONS: "16" } });
  const publishMany = () =>
    Promise.all(range(0, 64).map((i) => publish(pair.runnel.url, replicated({ topic: `t${i}` }))));
  const good = await publishMany();
  assert.deepEqual(new Set(good.map(({ status }) => status)), new Set([200]));
  await pair.replica.kill9();
  const bad = await publishMany();
  await assertHonest(pair.runnel.url, [good, bad]);
  await pair.replica.restart();
  // a replica that is said to be there may be loading yet
  await until(async () => (await publishMany()).every(({ status }) => status === 200));
});

Deno.test("POST /publish is not answered with what an earlier link had replicated", async () => {
  await using stack = new AsyncDisposableStack();
  let proxy: ReturnType<typeof startProxy> | undefined;
  const pair = stack.use(
    await startPair({
      url: ({ port }) => {
        proxy = stack.use(startProxy({ port }));
        return `redis://127.0.0.1:${proxy.port}`;
      },
    }),
  );
  const { url } = pair.runnel;
  await publish(url, replicated({ data: 0 }));
  pair.replica.pause();
  // stored, its reply lost, sent again on a new link: there WAIT alone would look at nothing that was written
  const cut = proxy?.cutAfterRequest(/\r\nwait\r\n/i);
  const answer = await publish(url, replicated({ data: 1 }));
  await deadline(cut?.done ?? Promise.reject(), 5_000, "the cut");
  assert.equal(answer.status, 503, JSON.stringify(answer.body));
  assert.ok(["not_replicated", "outcome_unknown"].includes(`${answer.body.code}`));
  assert.deepEqual((await readHistory(url, "t")).map(({ data }) => data), [0, 1]);
});

Deno.test("whoever waits for replicas that are not there is told so, however short a command may take", async () => {
  await using pair = await startPair({ env: { REDIS_COMMAND_TIMEOUT_MS: "700" } });
  // on a busy machine the one that is there may be late
  await until(async () => {
    const { status, body } = await publish(pair.runnel.url, replicated({ replicas: 2 }));
    assert.deepEqual([status, body.code], [503, "not_replicated"]);
    return body.replicas === 1;
  });
});

Deno.test("POST /publish refuses replicas that it cannot honour", async (t) => {
  await using pair = await startPair();
  const cases: [Record<string, unknown>, string][] = [
    [{ topic: "t", data: 1, replicas: 1 }, "#/replicas"],
    [{ topic: "t", data: 1, durability: "ephemeral", replicas: 1 }, "#/replicas"],
    [replicated({ replicas: 0 }), "#/replicas"],
    [replicated({ replicas: 9 }), "#/replicas"],
    [replicated({ delayMs: 5 }), "#/durability"],
    [replicated({ at: "2030-01-01T00:00:00Z" }), "#/durability"],
  ];
  for (const [message, pointer] of cases) {
    await t.step(JSON.stringify(message), async () => {
      const expected = { status: 400, code: "invalid_request", pointer };
      assertProblem(await send(`${pair.runnel.url}/publish`, { json: message }), expected);
    });
  }
});

Deno.test("an atomic batch is replicated as a whole where one of its messages is", async () => {
  await using pair = await startPair();
  const messages = [{ topic: "t", data: 1 }, replicated({ data: 2 })];
  const { status, body } = await send(`${pair.runnel.url}/batch`, {
    json: { messages, atomic: true },
  });
  assert.deepEqual([status, body.accepted], [200, 2]);
  pair.replica.pause();
  const { body: half } = await send(`${pair.runnel.url}/batch`, {
    json: { messages, atomic: true },
  });
  const codes = (half.results as { error?: { code: string } }[]).map(({ error }) => error?.code);
  assert.deepEqual(codes, [undefined, "not_replicated"]);
});

Deno.test("where there is no replica all are told in time what became of theirs, whatever their partition", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({
    redisUrl: redis.url,
    env: { RUNNEL_PARTITIONS: "16" },
  });
  const { url } = runnel;
  await until(() => publishId(url, { topic: "t", data: "warm" }));
  const rounds: Answer[][] = [];
  for (const _ of range(0, 2)) {
    const publishing = range(0, 64).map((i) => publish(url, replicated({ topic: `t${i}` })));
    rounds.push(await deadline(Promise.all(publishing), 15_000, "all answers"));
  }
  assert.ok(rounds.flat().every(({ status }) => status === 503));
  await assertHonest(url, rounds);
});
