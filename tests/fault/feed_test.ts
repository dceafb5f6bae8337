import assert from "node:assert/strict";
import type { FeedOptions } from "../../lib/broker/feed.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";
import { assemble, type CollectedStream, type Parts } from "./parts.ts";

type Open = FeedOptions["openLink"];

/** Swallows some messages of the feed's link, as nothing but a broken Redis or network could. */
function swallowing(swallows: (payload: string) => boolean) {
  return (open: Open): Open => (events) =>
    open({
      ...events,
      onMessage: (channel, payload) => {
        if (!swallows(payload)) events.onMessage(channel, payload);
      },
    });
}

/**
 * Forges what frames say of the one before, so that the feed cannot find out that one is missing: the check turned off.
 */
function blind(open: Open): Open {
  const last = new Map<string, string>();
  return (events) =>
    open({
      ...events,
      onMessage: (channel, payload) => {
        const [head = "", ...rest] = payload.split("\n");
        const [kind = "", logPrevious = "", topicPrevious = "", first = "", count, ...more] = head
          .split(" ");
        if (!"FXI".includes(kind)) return events.onMessage(channel, payload);
        const known = last.get(channel);
        const [ms, seq] = first.split("-").map(Number);
        last.set(channel, `${ms}-${(seq ?? 0) + Number(count) - 1}`);
        const forged = [kind, known ?? logPrevious, known ?? topicPrevious, first, count, ...more];
        events.onMessage(channel, [forged.join(" "), ...rest].join("\n"));
      },
    });
}

const SECOND = (payload: string) => payload.includes('"n":"2"');

async function publishFive(
  { topics, openLink }: { topics: readonly string[]; openLink: (open: Open) => Open },
): Promise<{ seen: readonly string[]; gaps: number }> {
  await using redis = await startRedis({ appendonly: false });
  await using parts = assemble({ redisUrl: redis.url, openLink });
  await parts.publish({ topic: "a", n: "0" });
  const stream = await parts.subscribe(topics);
  await until(() => stream.state === "live");
  for (const n of ["1", "2", "3", "4", "5"]) await parts.publish({ topic: "a", n });
  await until(() => stream.seen.includes("5"), { what: "the last message" });
  return { seen: stream.seen, gaps: stream.gaps.length };
}

const ALL_FIVE = { seen: ["1", "2", "3", "4", "5"], gaps: 0 };

for (const [what, topics] of [["a topic", ["a"]], ["a pattern", ["*"]]] as const) {
  Deno.test(`Feed finds out that a frame of ${what} is missing by the one after it, and the log gives it`, async () => {
    assert.deepEqual(await publishFive({ topics, openLink: swallowing(SECOND) }), ALL_FIVE);
  });

  Deno.test(`twin: without that check, a missing frame of ${what} is missed in silence`, async () => {
    const openLink = (open: Open) => blind(swallowing(SECOND)(open));
    const { seen, gaps } = await publishFive({ topics, openLink });
    assert.deepEqual({ seen, gaps }, { seen: ["1", "3", "4", "5"], gaps: 0 });
  });
}

async function loseLastFrame(feed: Partial<FeedOptions>): Promise<readonly string[]> {
  await using redis = await startRedis({ appendonly: false });
  await using parts = assemble({ redisUrl: redis.url, openLink: swallowing(SECOND), feed });
  const stream = await parts.subscribe(["*"]);
  await until(() => stream.state === "live");
  await parts.publish({ topic: "a", n: "1" }, { topic: "a", n: "2" });
  await until(() => stream.seen.length === 2, { timeoutMs: 1_500 }).catch(() => {});
  return stream.seen;
}

Deno.test("Feed finds out by a probe that the last frame is missing, though none comes after it", async () => {
  assert.deepEqual(await loseLastFrame({ probeMs: 200 }), ["1", "2"]);
});

Deno.test("twin: without probes, nobody finds out that the last frame is missing", async () => {
  assert.deepEqual(await loseLastFrame({ probeMs: 3_600_000 }), []);
});

async function loseLink(feed: Partial<FeedOptions>): Promise<readonly string[]> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  const feedUrl = `redis://127.0.0.1:${proxy.port}`;
  await using parts = assemble({ redisUrl: redis.url, feedUrl, feed });
  const stream = await parts.subscribe(["a", "b"]);
  await until(() => stream.state === "live");
  // whatever is open now is half-open for good; whoever dials gets a link that works
  proxy.stall();
  proxy.unstall({ forget: true });
  await parts.publish({ topic: "a", n: "1" });
  await until(() => stream.seen.length > 0, { timeoutMs: 2_500 }).catch(() => {});
  return stream.seen;
}

Deno.test("Feed finds out by a probe that its link is half-open, and replaces it", async () => {
  assert.deepEqual(await loseLink({ probeMs: 300, probeTimeoutMs: 300 }), ["1"]);
});

Deno.test("twin: without probes, a half-open link is never found", async () => {
  assert.deepEqual(await loseLink({ probeMs: 3_600_000 }), []);
});

/** Holds back one kind of call on the link until let go. */
function holding(call: "subscribe" | "unsubscribe") {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const openLink = (open: Open): Open => async (events) => {
    const link = await open(events);
    const original = link[call].bind(link);
    link[call] = async (channels) => {
      await original(channels);
      if (!channels.some((channel) => channel.endsWith(":c:a"))) return;
      reached.resolve();
      await gate.promise;
    };
    return link;
  };
  return { openLink, reached: reached.promise, letGo: () => gate.resolve() };
}

Deno.test("Feed gives everything to who joins a channel while it is being left", async () => {
  const hold = holding("unsubscribe");
  await using redis = await startRedis({ appendonly: false });
  await using parts = assemble({
    redisUrl: redis.url,
    openLink: hold.openLink,
    feed: { lingerMs: 0, probeMs: 50 },
  });
  const first = await parts.subscribe(["a"]);
  await until(() => first.state === "live");
  await first.close();
  // Redis has taken the channel away, and the feed does not know it yet
  await hold.reached;
  let joined: CollectedStream | undefined;
  const joining = parts.subscribe(["a"]).then((stream) => joined = stream);
  // it may not be live, which the channel is no more; where it is nevertheless, it is so by now
  await until(() => joined?.state === "live", { timeoutMs: 200 }).catch(() => {});
  const wasLive = joined !== undefined;
  await parts.publish({ topic: "a", n: "0" });
  hold.letGo();
  const stream = await joining;
  await until(() => stream.state === "live");
  await parts.publish({ topic: "a", n: "1" });
  await until(() => stream.seen.includes("1"), { timeoutMs: 3_000 });
  await parts.publish({ topic: "a", n: "2" });
  await until(() => stream.seen.includes("2"), { timeoutMs: 3_000 });
  assert.deepEqual(stream.seen, wasLive ? ["0", "1", "2"] : ["1", "2"]);
});

Deno.test("Feed gives everything to who joins while another pattern or topic is being added", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using parts = assemble({ redisUrl: redis.url, feed: { lingerMs: 5, probeMs: 20 } });
  await using writer = assemble({ redisUrl: redis.url });
  const topics = ["a", "b", "c"];
  const streams: { stream: CollectedStream; from: number; topics: readonly string[] }[] = [];
  const published: { topic: string; n: string }[] = [];
  const kinds = [["a"], ["*"], ["b", "c"], ["a", "b"], ["*", "c"]];
  for (let i = 0; i < 200; i++) {
    const message = { topic: topics[i % 3] ?? "", n: `${i}` };
    const publishing = writer.publish(message);
    if (i % 4 === 0) await open(parts, kinds[(i / 4) % kinds.length] ?? []);
    if (i % 5 === 0) await streams.at(i % streams.length)?.stream.close();
    await publishing;
    published.push(message);
  }
  for (const { stream, from, topics } of streams) {
    const isWanted = ({ topic }: { topic: string }) =>
      topics.includes("*") || topics.includes(topic);
    const expected = published.filter(isWanted).map(({ n }) => n);
    if (!stream.gone.aborted) {
      await until(() => stream.seen.at(-1) === expected.at(-1), { what: `all of ${topics}` });
    }
    const start = expected.indexOf(stream.seen[0] ?? "");
    assert.deepEqual(
      stream.seen,
      start < 0 ? [] : expected.slice(start, start + stream.seen.length),
    );
    assert.ok(
      start < 0 || Number(stream.seen[0]) <= from + 4,
      `${stream.seen[0]} is late after ${from}`,
    );
  }

  async function open(parts: Parts, topics: readonly string[]): Promise<void> {
    const from = published.length;
    streams.push({ stream: await parts.subscribe(topics), from, topics });
  }
});
