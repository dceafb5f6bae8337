import assert from "node:assert/strict";
import fc from "fast-check";
import type { FeedLinkEvents } from "../../lib/redis/feed_link.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import type { MemorySink } from "../_support/memory_sink.ts";
import type { Partition } from "../_support/partition.ts";
import { randomSource } from "../_support/random.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { Stage } from "../_support/stage.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

const TOPICS = ["a", "b.1", "b.2"];
// topics by name have chains of their own: one frame lost among several topics is no honest link's fault, and not found
const FILTERS = [["a"], ["b.1"], ["**"], ["b.*"], ["a", "b.*"]];
const HONEST_FILTERS = [...FILTERS, ["b.1", "b.2"], ["a", "b.1", "b.2"]];

/** What happens while subscriptions are open. */
type Event =
  | { readonly kind: "publish"; readonly topic: string; readonly large: boolean }
  | { readonly kind: "cut" | "promote" }
  | { readonly kind: "join" | "leave" | "hold" | "release"; readonly which: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      topic: fc.constantFrom(...TOPICS),
      large: fc.nat(4).map((n) => n === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "promote" as const) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("join" as const, "leave" as const, "hold" as const, "release" as const),
      which: fc.nat(9),
    }),
  },
);

/** A stream, and what it is to get. */
interface Stream {
  readonly filter: TopicFilter;
  readonly sink: MemorySink;
  readonly expected: string[];
}

/** A partition whose subscribers have a link that forgets some frames, as no honest Redis would. */
class World implements AsyncDisposable {
  readonly #partition: Partition;
  readonly #stage: Stage;
  readonly #streams: Stream[] = [];
  readonly #filters: readonly string[][];

  constructor(partition: Partition, { loss, seed }: { loss: number; seed: number }) {
    this.#partition = partition;
    this.#filters = loss === 0 ? HONEST_FILTERS : FILTERS;
    const random = randomSource(seed);
    const lossy = (told: FeedLinkEvents): FeedLinkEvents => ({
      onMessage: (channel, payload) => {
        if (payload.startsWith("P ") || random() >= loss) told.onMessage(channel, payload);
      },
      onClose: () => told.onClose(),
    });
    this.#stage = new Stage(partition, {
      probeMs: 10,
      lingerMs: 5,
      openLink: (told) => partition.node.openFeedLink(lossy(told)),
    });
  }

  async join(names: readonly string[]): Promise<void> {
    // where the link is cut again and again, opening may fail
    const { sink } = await until(() => this.#stage.subscribe(names));
    this.#streams.push({ filter: new TopicFilter(names), sink, expected: [] });
  }

  async publish(topic: string, large = false): Promise<void> {
    const id = await this.#partition.publishOne(topic, large ? "x".repeat(60_000) : "");
    for (const { filter, expected } of this.#streams) if (filter.matches(topic)) expected.push(id);
  }

  async happen(event: Event): Promise<void> {
    const command = (...words: [string, ...string[]]) =>
      this.#partition.node.run((client) => client.call(...words));
    switch (event.kind) {
      case "publish":
        return await this.publish(event.topic, event.large);
      case "cut":
        return void await command("CLIENT", "KILL", "TYPE", "pubsub");
      case "promote":
        return void await command("DEBUG", "CHANGE-REPL-ID");
      case "join":
        return await this.join(this.#filters[event.which % this.#filters.length] ?? []);
      default:
        this.#streams[event.which % this.#streams.length]?.sink[event.kind]();
    }
  }

  /** Fails unless each stream gets all that it is to get, or had the beginning of it when its client left. */
  async check(): Promise<void> {
    for (const { sink, expected, filter } of this.#streams) {
      sink.release();
      // a topic's last frame that was lost is found by the next one
      for (let round = 0; !sink.gone.aborted && !await hasAll(sink, expected.length); round++) {
        assert.ok(round < 20, `${sink.ids.length} of ${expected.length} came on ${filter.key}`);
        for (const topic of TOPICS) await this.publish(topic);
      }
      assert.deepEqual(sink.ids, expected.slice(0, sink.ids.length));
      assert.deepEqual(sink.told("$gap"), []);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stage[Symbol.asyncDispose]();
  }
}

/** Whether this many messages come within a moment. */
async function hasAll(sink: MemorySink, count: number): Promise<boolean> {
  return await until(() => sink.ids.length >= count, { timeoutMs: 400 }).catch(() => false);
}

Deno.test("Subscriptions see each message once and in order, whatever the feed loses on the way", async () => {
  const events = fc.array(event, { minLength: 20, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      events,
      fc.constantFrom(0, 0.05, 0.3),
      fc.nat(),
      async (events, loss, seed) => {
        await using partition = redis.open();
        await using world = new World(partition, { loss, seed });
        await world.join(["a"]);
        await world.join(["**"]);
        for (const one of events) await world.happen(one);
        await world.check();
      },
    ),
    { numRuns: 20, endOnFailure: true },
  );
});
