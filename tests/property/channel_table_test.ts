import assert from "node:assert/strict";
import fc from "fast-check";
import { idOf } from "../_support/ids.ts";
import type { Channel } from "../../lib/broker/channel.ts";
import { ChannelTable } from "../../lib/broker/channel_table.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { Keys } from "../../lib/redis/keys.ts";

const TOPICS = ["a", "b", "c", "d"];
const names = fc.subarray([...TOPICS, "*"], { minLength: 1, maxLength: 2 });
const most = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("want"), names }),
  fc.record({ kind: fc.constant("unwant"), which: fc.nat(2) }),
  // as far as a step of the upkeep may come
  fc.record({ kind: fc.constantFrom("subscribe", "go live"), most }),
  fc.record({ kind: fc.constant("reset"), link: fc.boolean() }),
  fc.record({ kind: fc.constant("drop idle"), age: fc.nat(3) }),
  fc.record({ kind: fc.constant("prune") }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A table, and what looking at all of its channels finds. */
class Scanned {
  readonly table = new ChannelTable(new Keys({ prefix: "rn", partition: 0, db: 0 }));
  readonly wanting: TopicFilter[] = [];
  /** Moments between steps. */
  readonly moments: number[] = [];

  get named(): Channel[] {
    return TOPICS.flatMap((topic) => this.table.named(topic) ?? []);
  }

  get missing(): Set<Channel> {
    const { everything } = this.table;
    if (everything.live) return new Set();
    return new Set([everything, ...this.named].filter(isMissing));
  }

  idle(before: number): Set<Channel> {
    return new Set(
      [this.table.everything, ...this.named].filter(({ subscribed, wanted, idleSince }) =>
        subscribed && wanted === 0 && idleSince < before
      ),
    );
  }

  take(step: Step): void {
    const { table } = this;
    switch (step.kind) {
      case "want": {
        const filter = new TopicFilter(step.names);
        this.wanting.push(filter);
        return table.want(filter);
      }
      case "unwant": {
        const [filter] = this.wanting.splice(step.which, 1);
        return filter && table.unwant(filter);
      }
      case "subscribe":
      case "go live":
        for (const channel of table.missing(step.most)) {
          channel.subscribed = true;
          if (step.kind === "go live") channel.start(idOf(1));
        }
        return;
      case "reset":
        return table.reset(step);
      case "drop idle":
        return table.resetSome(table.idle(this.moments.at(-1 - step.age) ?? 0), { link: true });
      default:
        return this.#prune();
    }
  }

  #prune(): void {
    const kept = this.named.filter(({ wanted, subscribed }) => wanted > 0 || subscribed);
    this.table.prune();
    assert.deepEqual(this.named, kept);
  }
}

const isMissing = ({ wanted, live }: Channel) => wanted > 0 && !live;

Deno.test("ChannelTable knows at every moment what looking at all its channels would find", () => {
  const seen = { missing: 0, idle: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      const scanned = new Scanned();
      const { table } = scanned;
      for (const step of steps) {
        scanned.take(step);
        for (const before of [...scanned.moments.slice(-3), performance.now() + 1]) {
          assert.deepEqual(new Set(table.idle(before)), scanned.idle(before));
        }
        assert.deepEqual(new Set(table.missing(Infinity)), scanned.missing);
        assert.equal(table.missing(2).length, Math.min(scanned.missing.size, 2));
        const needed = scanned.named.filter(isMissing);
        assert.deepEqual(new Set(table.servedByEverything(Infinity)), new Set(needed));
        seen.missing += scanned.missing.size;
        seen.idle += scanned.idle(Infinity).size;
        scanned.moments.push(performance.now());
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(seen.missing > 1_000 && seen.idle > 1_000, JSON.stringify(seen));
});
