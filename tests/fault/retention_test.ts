import assert from "node:assert/strict";
import { compareIds, type Id, parseId } from "../../lib/codec/id.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { until } from "../_support/until.ts";
import { type Acknowledged, startPublishers } from "./publishers.ts";
import { CROWD, TOPICS, watchAll, type Watcher } from "./watcher.ts";

/** A `$gap`, read. */
interface Announced {
  readonly topic: string;
  readonly after: Id;
  readonly before: Id | undefined;
}

function readId(text: string): Id {
  return parseId(text) ?? assert.fail(`${text} is no id`);
}

function announcedBy({ gaps, seen }: Watcher): Announced[] {
  return gaps.map(({ topic, after, before, reason, seen: count }) => {
    assert.equal(reason, "retention");
    // where nothing was there yet, what comes next shows how far it went
    const next = seen.slice(count).find((message) => message.topic === topic);
    const end = before === null ? next?.id : `${before}`;
    return {
      topic: `${topic}`,
      after: readId(`${after}`),
      before: end === undefined ? undefined : readId(end),
    };
  });
}

function covers(
  { topic, after, before }: Announced,
  message: { readonly id: string; readonly topic: string },
): boolean {
  const id = readId(message.id);
  return topic === message.topic && compareIds(id, after) > 0 &&
    (before === undefined || compareIds(id, before) < 0);
}

function assertAnnounced(watcher: Watcher, acknowledged: readonly Acknowledged[]): number {
  const seen = new Set(watcher.seen.map(({ id }) => id));
  assert.equal(seen.size, watcher.seen.length, `${watcher.name} saw a message twice`);
  const wanted = acknowledged.filter(({ topic }) => watcher.expects.includes(topic));
  const missed = wanted.filter(({ id }) => !seen.has(id));
  const announced = announcedBy(watcher);
  for (const message of missed) {
    const told = announced.some((gap) => covers(gap, message));
    assert.ok(told, `${watcher.name} missed ${message.n} at ${message.id} in silence`);
  }
  for (const gap of announced) {
    const what = `${watcher.name} was told of ${JSON.stringify(gap)}`;
    assert.ok(missed.some((message) => covers(gap, message)), `${what}, where none is`);
    // who comes back in the middle may be given from the feed's memory what the topic had lost already
    const given = watcher.stays && watcher.seen.find((message) => covers(gap, message));
    assert.ok(!given, `${what}, and was given of that`);
  }
  return missed.length;
}

Deno.test("subscribe() announces exactly what retention took from who was away or whose Redis was", async () => {
  const random = randomSource(71);
  await using redis = await startRedis();
  await using runnel = await openRunnel({
    redisUrl: redis.url,
    env: { RUNNEL_MAX_MESSAGES: "40" },
  });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random });
  const { watchers } = crowd;
  await using publishers = startPublishers({ urls, topics: TOPICS, seed: 71 });
  // on a machine that is slow whoever reads may keep up with whoever publishes
  const nobodyMissed = () => watchers.every(({ gaps }) => gaps.length === 0);
  for (let i = 0; i < 3 || (i < 12 && nobodyMissed()); i++) {
    await publishers.progress(600);
    await redis.kill9();
    await redis.restart();
  }
  await publishers.progress(400);
  await publishers.stop();
  const { acknowledged } = publishers;
  // nothing is published any more, so that everybody comes to the end
  const ends = watchers.map(({ expects }) =>
    acknowledged.filter(({ topic }) => expects.includes(topic))
      .reduce((last, { id }) => compareIds(readId(id), readId(last)) > 0 ? id : last, "0-0")
  );
  await until(() => watchers.every((watcher, i) => watcher.has(ends[i] ?? "")), {
    timeoutMs: 20_000,
    what: "the last messages",
  });
  const missed = watchers.map((watcher) => assertAnnounced(watcher, acknowledged));
  assert.ok(missed.some((count) => count > 0), "nothing was missed: the test tests nothing");
});
