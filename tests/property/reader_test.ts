import assert from "node:assert/strict";
import fc from "fast-check";
import { Reader } from "../../lib/broker/reader.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { compareIds, type Id, parseId, ZERO } from "../../lib/codec/id.ts";
import type { Partition } from "../_support/partition.ts";
import { readAll } from "../_support/read_all.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

const TOPICS = ["a", "b.1", "b.2", "c"];
const topic = fc.constantFrom(...TOPICS);

/** What happens to a partition before somebody reads it. */
type Step =
  | {
    readonly kind: "publish";
    readonly topic: string;
    readonly count: number;
    readonly large: boolean;
  }
  | { readonly kind: "later"; readonly ms: number }
  | { readonly kind: "trim"; readonly topic: string; readonly keep: number }
  | { readonly kind: "remove"; readonly topic: string }
  | { readonly kind: "trimLog"; readonly keep: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      topic,
      count: fc.integer({ min: 1, max: 4 }),
      large: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("later" as const), ms: fc.nat(30_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("trim" as const), topic, keep: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), topic }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("trimLog" as const),
      keep: fc.integer({ min: 1, max: 9 }),
    }),
  },
);

/** A message that was published, and whether it is still there. */
interface Published {
  readonly id: string;
  readonly topic: string;
  kept: boolean;
}

/** Does what a step says, to the partition and to the model. */
async function apply(partition: Partition, model: Published[], step: Step): Promise<void> {
  const { keys } = partition.store;
  switch (step.kind) {
    case "publish": {
      const data = step.large ? "x".repeat(20_000) : "";
      const ids = await partition.publish(step.topic, ...Array(step.count).fill(data));
      model.push(...ids.map((id) => ({ id, topic: step.topic, kept: true })));
      return;
    }
    case "later": {
      const { clock } = await partition.store.position();
      await partition.node.run((client) =>
        client.hset(keys.meta, "clock", `${clock.ms + step.ms}-${clock.seq}`)
      );
      return;
    }
    case "trim": {
      await partition.node.run((client) =>
        client.xtrim(keys.topic(step.topic), "MAXLEN", "=", step.keep)
      );
      const kept = model.filter((one) => one.topic === step.topic && one.kept);
      for (const one of kept.slice(0, Math.max(0, kept.length - step.keep))) one.kept = false;
      return;
    }
    case "remove":
      await partition.store.topics.remove(step.topic);
      for (const one of model) if (one.topic === step.topic) one.kept = false;
      return;
    case "trimLog":
      await partition.node.run((client) => client.xtrim(keys.log, "MAXLEN", "=", step.keep));
  }
}

const id = (text: string): Id => parseId(text) ?? assert.fail(`no id: ${text}`);

Deno.test("Reader gives all that is kept after any cursor once and in order, and announces all that is not", async () => {
  const names = fc.uniqueArray(fc.constantFrom(...TOPICS, "b.*", "**", "*"), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      names,
      fc.nat(),
      async (steps, names, from) => {
        await using partition = redis.open();
        const model: Published[] = [];
        for (const one of steps) await apply(partition, model, one);
        const filter = new TopicFilter(names);
        const start = from % (model.length + 1);
        const cursor = start === 0 ? ZERO : id(model[start - 1]?.id ?? "");
        const read = await readAll(new Reader(partition.store), filter, { cursor });
        const wanted = model.slice(start).filter(({ topic }) => filter.matches(topic));
        assert.deepEqual(read.ids, wanted.filter(({ kept }) => kept).map(({ id }) => id));
        const lost = new Set(wanted.filter(({ kept }) => !kept).map(({ topic }) => topic));
        assert.deepEqual(new Set(read.gaps.map(({ topic }) => topic)), lost);
        for (const gap of read.gaps) {
          const last = wanted.filter(({ topic, kept }) => topic === gap.topic && !kept).at(-1);
          const { before } = gap;
          assert.ok(before === null || compareIds(id(before), id(last?.id ?? "0-0")) > 0);
        }
      },
    ),
    { numRuns: 60 },
  );
});
