/**
 * More than 100,000 generated requests against all functions. `FUZZ_SEED=7` tries other ones than every day's, and
 * `FUZZ_REQUESTS=1000000` more of them.
 */
import assert from "node:assert/strict";
import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { ALL, JWT_ENV, token } from "../_support/credentials.ts";
import { assertProblem, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";
import { FuzzRun } from "./fuzz/fuzz_run.ts";
import { type FuzzRoute, HERE } from "./fuzz/fuzz_route.ts";
import { FUZZ_ROUTES } from "./fuzz/fuzz_routes.ts";
import { fetchSender, type Sender } from "./fuzz/fetch_sender.ts";
import { listenForQuestions } from "./fuzz/question_listener.ts";
import { rawSender } from "./fuzz/raw_sender.ts";
import { sweep } from "./fuzz/sweep.ts";

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);
/** Requests that are made, of which the platform's own Request takes nearly all. */
const REQUESTS = Number(Deno.env.get("FUZZ_REQUESTS") ?? 103_000);
/** Sent over a real port by an HTTP client, and as bytes, before and after all others. */
const OVER_PORT = 800;
/** Requests between two sweeps. */
const STEP = 10_000;
/** After so many, all that is loaded and compiled once has been. */
const WARM_UP = 20_000;
/** What the heap may grow by between then and the end, in bytes: a hundred for each request would be more. */
const HEAP_MOST = 4 << 20;
/** What Redis may hold at the end, empty but for what it keeps for a minute, an hour or a week. */
const REDIS_MOST = 16 << 20;

const ENV = {
  RUNNEL_AUTH: "open",
  RUNNEL_MAX_MESSAGES: "20",
  RUNNEL_MAX_BODY_BYTES: "16384",
  RUNNEL_MAX_TOPICS: "20",
  RUNNEL_IDEMPOTENCY_MS: "1000",
  RUNNEL_HEARTBEAT_MS: "500",
  RUNNEL_CORS_ORIGINS: "https://app.example.com",
  REDIS_COMMAND_TIMEOUT_MS: "20000",
};

/** A Runnel under fire. */
interface Ground {
  readonly run: FuzzRun;
  readonly runnel: Runnel;
  readonly redis: RedisServer;
  /** Of all requests, such as credentials. */
  readonly headers: readonly (readonly [string, string])[];
}

Deno.test("100,000 generated requests: no 500, no hang, and memory is back where it was", () =>
  fuzz({ routes: FUZZ_ROUTES, headers: [], env: ENV, requests: REQUESTS }));

Deno.test("generated requests with a token, and with what is left of it when it was changed: as good", async () => {
  const text = await token({ ...ALL, manage: true }, { endsIn: 3_600 });
  await fuzz({
    routes: FUZZ_ROUTES,
    headers: [["authorization", `Bearer ${text}`]],
    env: { ...ENV, ...JWT_ENV },
    requests: Math.round(REQUESTS / 3),
  });
});

async function fuzz(
  { routes, headers, env, requests }: Pick<Ground, "headers"> & {
    routes: readonly FuzzRoute[];
    env: Readonly<Record<string, string>>;
    /** How many, of which some come before the first look. */
    requests: number;
  },
): Promise<void> {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url, env, logLevel: "error" });
  const run = new FuzzRun({ seed: SEED, routes, headers });
  const ground: Ground = { run, runnel, redis, headers };
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on("warning", warn);
  await openAllConnections(ground);
  await inProcess(ground, WARM_UP - 2 * OVER_PORT);
  await overPort(ground);
  const before = await look(redis);
  await inProcess(ground, requests - WARM_UP - 2 * OVER_PORT);
  await overPort(ground);
  const after = await look(redis);
  process.off("warning", warn);
  assertSame(before, after);
  assert.deepEqual(runnel.logs, [], "errors in the log");
  assert.deepEqual(warnings, [], "the runtime's warnings");
  assertBreadth(run, { routes, requests });
  await assertNoStream(ground);
  await assertWorks(ground);
  await deadline(runnel.close(), 20_000, "the end of all that was under way");
}

/** There is a connection for each number of replicas that a publisher waits for, from its first use on. */
async function openAllConnections({ runnel, headers }: Ground): Promise<void> {
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
  const answers = await Promise.all(numbers.map((replicas) =>
    send(`${HERE}/publish`, {
      fetch: runnel.fetch,
      headers: Object.fromEntries(headers),
      json: { topic: "a", data: 1, durability: "replicated", replicas },
    })
  ));
  for (const answer of answers) assertProblem(answer, { status: 503, code: "not_replicated" });
}

/** To the handler itself; what Redis holds is deleted now and then, so that it has an end. */
async function inProcess(
  { run, runnel: { fetch }, headers }: Ground,
  count: number,
): Promise<void> {
  const onText = (text: string) => run.learn(text);
  await using _listener = await listenForQuestions({ fetch, headers, onText });
  for (let left = count; left > 0; left -= STEP) {
    await run.go(Math.min(left, STEP), fetchSender({ fetch }));
    await sweep({ fetch, headers });
  }
}

/** Through an HTTP client, and as bytes that no client would send. */
async function overPort({ run, runnel: { url } }: Ground): Promise<void> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  await run.go(OVER_PORT, fetchSender({ fetch: (request) => fetch(request, { client }), url }));
  await run.go(OVER_PORT, rawSender(Number(new URL(url).port)));
}

interface Look {
  /** Bytes in use after a collection. */
  readonly heap: number;
  readonly external: number;
  /** Connections to Redis, that of whoever asks included. */
  readonly connections: number;
  readonly redisBytes: number;
}

async function look(redis: RedisServer): Promise<Look> {
  const { heapUsed: heap, external } = await settledMemory();
  const clients = await redis.cli("CLIENT", "LIST");
  const memory = await redis.cli("INFO", "memory");
  return {
    ...{ heap, external, connections: clients.trim().split("\n").length },
    redisBytes: Number(/used_memory:(\d+)/.exec(memory)?.[1]),
  };
}

/** What is in use when a collection frees no more: what the last requests left behind ends a little later than they. */
async function settledMemory(): Promise<Deno.MemoryUsage> {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  let least = Deno.memoryUsage();
  await until(() => {
    collect();
    const now = Deno.memoryUsage();
    const isSettled = now.heapUsed > least.heapUsed - 50_000;
    if (now.heapUsed < least.heapUsed) least = now;
    return isSettled;
  }, { everyMs: 300, timeoutMs: 30_000, what: "the heap to settle" });
  return least;
}

function assertSame(before: Look, after: Look): void {
  const said = JSON.stringify({ before, after });
  assert.ok(after.heap - before.heap < HEAP_MOST, said);
  assert.ok(after.external - before.external < HEAP_MOST, said);
  assert.ok(after.connections <= before.connections, said);
  assert.ok(after.redisBytes < REDIS_MOST, said);
}

function assertBreadth(
  { counts, answered }: FuzzRun,
  { routes, requests }: { routes: readonly FuzzRoute[]; requests: number },
): void {
  // but for bytes that are no HTTP
  assert.ok(answered > requests - 2 * OVER_PORT, `${answered} were answered`);
  let refused = 0;
  for (const { name } of routes) {
    const statuses = [...counts.get(name) ?? []];
    const many = (from: number, to: number) =>
      statuses.reduce((sum, [status, n]) => sum + (status >= from && status < to ? n : 0), 0);
    const said = `${name}: ${JSON.stringify(statuses)}`;
    assert.ok(many(200, 400) > 20 && many(400, 500) > 20, said);
    refused += many(503, 504);
  }
  // what a busy machine cannot do in time is the exception
  assert.ok(refused < answered / 200, `${refused} were answered 503`);
}

async function assertNoStream({ runnel, redis, headers }: Ground): Promise<void> {
  const options = { headers: Object.fromEntries(headers) };
  const json = { topic: "looked.at", data: 1 };
  assert.equal((await send(`${runnel.url}/publish`, { ...options, json })).status, 200);
  await until(async () => {
    const { body } = await send(`${runnel.url}/topics/looked.at`, options);
    return body.subscribers === 0;
  }, { timeoutMs: 30_000, what: "the last subscriber to be gone" });
  // each process has channels of its own, and keeps those of topics that somebody wants
  const wanted = async () => (await redis.cli("PUBSUB", "CHANNELS", "*:c:*")).trim();
  await until(async () => await wanted() === "", { timeoutMs: 30_000, what: "no topic wanted" });
}

async function assertWorks({ runnel: { url }, headers: given }: Ground): Promise<void> {
  const headers = Object.fromEntries(given);
  await using stream = await openStream(`${url}/subscribe?topic=after`, { headers });
  await stream.until("$ready");
  const json = { topic: "after", data: "all" };
  const { body } = await send(`${url}/publish`, { headers, json });
  const [message] = await stream.messages(1);
  assert.deepEqual([message?.id, message?.data], [body.id, "all"]);
}

Deno.test("twin: an answer that is wrong, or does not come, is told of so that it can be asked for again", async () => {
  const problem = (status: number, code: string) =>
    Response.json({ code, status, requestId: "r", type: "t", title: "t", detail: "d" }, {
      status,
      headers: { "x-request-id": "r", "content-type": "application/problem+json" },
    });
  const go = (send: Sender) =>
    new FuzzRun({ seed: 3, routes: FUZZ_ROUTES, deadlineMs: 50 }).go(40, send);
  const always = (answer: Response) =>
    go(fetchSender({ fetch: () => Promise.resolve(answer.clone()) }));
  const cases: [() => Promise<void>, RegExp][] = [
    [() => always(new Response("")), /no x-request-id/],
    [() => always(problem(500, "internal")), /internal error/],
    [() => always(problem(503, "shutting_down")), /not right here/],
    [() => always(problem(400, "no_such_code")), /code is not known/],
    [() => go(() => new Promise<never>(() => {})), /Waited 50 ms in vain/],
  ];
  for (const [work, reason] of cases) {
    const error = await work().then(() => "nothing was found", String);
    assert.match(error, /Seed 3, request \d+: \{"route":/);
    assert.match(error, reason);
  }
});
