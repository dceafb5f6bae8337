import assert from "node:assert/strict";
import { Script } from "../../lib/redis/script.ts";
import { WORK } from "../../lib/redis/scripts/work.lua.ts";
import { publish, publishId } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { openStream } from "../_support/sse.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { deadline, sleep, until } from "../_support/until.ts";
import { groupsOf, pull, putGroup, tryPull, type Work } from "../_support/work.ts";

const WORK_CALL = new RegExp(new Script(WORK).sha);

/** One finds out and then all are told; the rest is for a machine that has other things to do. */
const PROMPTLY_MS = 6_000;

/** A Runnel whose links to Redis a test can harm. */
interface Stage extends AsyncDisposable {
  readonly runnel: Runnel;
  readonly url: string;
  readonly proxy: TcpProxy;
  /** Where Redis is without the proxy. */
  readonly redisUrl: string;
}

async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ appendonly: false }));
  const proxy = stack.use(startProxy({ port: redis.port }));
  const runnel = stack.use(await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` }));
  const all = stack.move();
  return {
    runnel,
    url: runnel.url,
    proxy,
    redisUrl: `redis://127.0.0.1:${redis.port}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function publishAgain(url: string, data: unknown): Promise<void> {
  const message = { topic: "jobs", data, idempotencyKey: `${data}` };
  await until(async () => (await publish(url, message)).status === 200);
}

Deno.test("pushed streams and waiting pulls go on where their links to Redis are cut, again and again", async () => {
  await using stage = await openStage();
  const { url, proxy } = stage;
  await putGroup(url, { group: "pushed" });
  await putGroup(url);
  await using stream = await openStream(`${url}/subscribe?topic=jobs&group=pushed&max=100`);
  await stream.until("$ready");
  for (let i = 0; i < 5; i++) {
    const waiting = until(async () => {
      const answer = await tryPull(url, { waitMs: 10_000, consumer: "c", attempt: i + 1 });
      return answer.status === 200 ? answer.body.messages as Work[] : undefined;
    });
    proxy.cutAll();
    await publishAgain(url, i);
    const [pulled] = await deadline(waiting, 8_000, "the pulled message");
    assert.equal(pulled?.data, i);
    assert.deepEqual((await stream.messages(1)).map(({ data }) => data), [i]);
  }
});

Deno.test("a hundred waiting pulls are told together that Redis is away", async () => {
  await using stage = await openStage();
  const { url, proxy } = stage;
  await putGroup(url);
  const waiting = Array.from(
    { length: 100 },
    (_, i) => tryPull(url, { consumer: `c${i}`, waitMs: 30_000 }),
  );
  await until(async () => (await groupsOf(url))[0]?.consumers.length === 100);
  proxy.down();
  const answers = await deadline(Promise.all(waiting), PROMPTLY_MS, "all answers");
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]));
});

/** Pushes a message whose lease Redis gave but could not tell, and was away for long; whether it came before the next. */
async function pushedAfterLoss(query: string): Promise<boolean> {
  await using stage = await openStage();
  const { url, proxy } = stage;
  // a publish on the link that is cut would have its answer there, and the cut would come before the lease
  await using publisher = await openRunnel({ redisUrl: stage.redisUrl });
  await using stream = await openStream(`${url}/subscribe?topic=jobs&group=g${query}`, {
    timeoutMs: 6_000,
  });
  await stream.until("$ready");
  await pull(url, { group: "other" });
  let lost = 0;
  while (!await loseLease(stage, publisher.url, ++lost)) await stream.messages(1);
  proxy.down();
  // longer than a call may take, so that what it did is not known
  await sleep(2_500);
  proxy.up();
  await publishAgain(url, lost + 1);
  const [first] = await stream.messages(1);
  return first?.data === lost;
}

/** Publishes a message and cuts the answer to the call that leases it; false where the cut met an earlier call. */
async function loseLease({ proxy }: Stage, directUrl: string, data: number): Promise<boolean> {
  const { done } = proxy.cutAfterRequest(WORK_CALL);
  await publishId(directUrl, { topic: "jobs", data });
  await done;
  const group = (await groupsOf(directUrl)).find(({ group }) => group === "g");
  // those before are leased as well: nobody acknowledged them
  return group?.pending === data;
}

Deno.test("a pushed stream gets what Redis leased to it and could not tell, without waiting for the lease to run out", async () => {
  assert.equal(await pushedAfterLoss(""), true);
});

Deno.test("twin: a stream under a name of the client's own has no attempts, and gets it when the lease has run out", async () => {
  assert.equal(await pushedAfterLoss("&consumer=a"), false);
});
