import assert from "node:assert/strict";
import { type Commit, PartitionStore } from "../../lib/redis/store.ts";
import { Script } from "../../lib/redis/script.ts";
import { COMMIT } from "../../lib/redis/scripts/commit.lua.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";
import { assemble } from "./parts.ts";
import { type Publishers, type PublishersOptions, startPublishers } from "./publishers.ts";
import { assertBroken, assertFaultless, type Fault, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll } from "./watcher.ts";

/** A commit on its way to Redis, and no other script. */
const A_COMMIT = new RegExp(new Script(COMMIT).sha);

interface CutOptions extends Partial<PublishersOptions> {
  readonly seed: number;
  /** Does its worst to the link while publishers run. */
  readonly harm: (proxy: TcpProxy, publishers: Publishers) => Promise<void>;
}

async function harmWhilePublishing(
  { harm, seed, ...options }: CutOptions,
): Promise<{ faults: readonly Fault[]; publishers: Publishers; cuts: number }> {
  const random = randomSource(seed);
  await using redis = await startRedis();
  await using proxy = startProxy({ port: redis.port });
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed, ...options });
  await harm(proxy, publishers);
  await publishers.stop();
  const { watchers } = crowd;
  const { acknowledged } = publishers;
  const faults = await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers });
  return { faults, publishers, cuts: proxy.cuts };
}

// without idempotency keys: what Runnel sends again must be stored once by its own means
const KEYLESS = { keyOf: () => undefined };

Deno.test("publish() and subscribe() keep their promises while links to Redis are cut at random, in the middle of requests and replies", async () => {
  const { faults, cuts } = await harmWhilePublishing({
    seed: 11,
    harm: async (proxy, publishers) => {
      using _ = proxy.cutAtRandom({ seed: 11, chance: 0.02 });
      await publishers.progress(4_000, 30_000);
    },
  });
  assertFaultless(faults);
  assert.ok(cuts >= 10, `${cuts} cuts`);
});

Deno.test("publish() and subscribe() keep their promises while all links to Redis are cut at once, again and again", async () => {
  const { faults } = await harmWhilePublishing({
    ...KEYLESS,
    seed: 12,
    harm: async (proxy, publishers) => {
      for (let i = 0; i < 12; i++) {
        await publishers.progress(100);
        proxy.cutAll();
      }
      await publishers.progress(100);
    },
  });
  assertFaultless(faults);
});

Deno.test("publish() stores once what Redis executed and could not answer, though publishers give no idempotency key", async () => {
  const { faults, publishers } = await harmWhilePublishing({
    ...KEYLESS,
    seed: 13,
    harm: async (proxy, publishers) => {
      for (let i = 0; i < 15; i++) {
        await publishers.progress(60);
        await proxy.cutAfterRequest(A_COMMIT, { times: 2 }).done;
      }
      await publishers.progress(100);
    },
  });
  assertFaultless(faults);
  assert.equal(publishers.refusals.size, 0);
});

// what was sent may have been executed, and nobody can tell until Redis is back: longer than a publisher is kept waiting
async function loseReplyForLong(proxy: TcpProxy, publishers: Publishers): Promise<void> {
  await publishers.progress(100);
  const { done } = proxy.cutAfterRequest(A_COMMIT);
  await done;
  proxy.down();
  await until(() => publishers.refusals.has("503 outcome_unknown"), { what: "an unknown outcome" });
  proxy.up();
  await publishers.progress(100);
}

Deno.test("publish() says when the outcome is unknown, and stores once what is published again with the same idempotency key", async () => {
  const { faults } = await harmWhilePublishing({ seed: 14, harm: loseReplyForLong });
  assertFaultless(faults);
});

Deno.test("twin: what is published again without its idempotency key after an unknown outcome is stored twice", async () => {
  const { faults } = await harmWhilePublishing({ ...KEYLESS, seed: 14, harm: loseReplyForLong });
  assertBroken(faults, "stored twice");
});

async function commitWithLostReplies(Store: typeof PartitionStore): Promise<string[]> {
  await using redis = await startRedis();
  await using proxy = startProxy({ port: redis.port });
  await using parts = assemble({ redisUrl: `redis://127.0.0.1:${proxy.port}`, Store });
  for (let i = 0; i < 20; i++) {
    const { done } = proxy.cutAfterRequest(A_COMMIT);
    await parts.publish({ topic: "a", n: `${i}` });
    await done;
  }
  const entries = await parts.store.history({ topic: "a", count: 1_000, descending: false });
  return entries.map(({ message }) => JSON.parse(message.body).data.n);
}

const TWENTY = Array.from({ length: 20 }, (_, i) => `${i}`);

Deno.test("Committer sends a commit again under the same number, and Redis does it once", async () => {
  assert.deepEqual(await commitWithLostReplies(PartitionStore), TWENTY);
});

Deno.test("twin: a commit that gets a new number each time it is sent is stored twice", async () => {
  class Renumbering extends PartitionStore {
    #sent = 0;

    override commit(commit: Commit) {
      return super.commit({ ...commit, number: ++this.#sent });
    }
  }
  const stored = await commitWithLostReplies(Renumbering);
  assert.ok(stored.length > TWENTY.length, `${stored}`);
});
