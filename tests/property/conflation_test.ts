import assert from "node:assert/strict";
import fc from "fast-check";
import { compareIds, type Id, parseId } from "../../lib/codec/id.ts";
import { MemorySink } from "../_support/memory_sink.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { type Performance, Stage } from "../_support/stage.ts";
import type { SseBlock } from "../_support/sse_parser.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** What happens while somebody listens. */
type Step =
  | {
    readonly kind: "publish";
    readonly topic: string;
    readonly keys: readonly (string | undefined)[];
    readonly large: boolean;
  }
  | { readonly kind: "hold" | "take" | "release" }
  /** The connection drops after so many parts of a thousand of what was sent, and the client comes back. */
  | { readonly kind: "drop"; readonly part: number; readonly conflate: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      topic: fc.constantFrom("a", "b"),
      keys: fc.array(fc.constantFrom("x", "y", "z", undefined), { minLength: 1, maxLength: 5 }),
      large: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("hold" as const, "take", "release") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("drop" as const),
      part: fc.nat(1_000),
      conflate: fc.boolean(),
    }),
  },
);

interface Published {
  readonly id: string;
  readonly topic: string;
  readonly key: string | undefined;
}

interface Gap {
  readonly topic: string;
  readonly after: string;
  readonly before: string;
  readonly reason: string;
  readonly skipped: number;
}

const id = (text: string): Id => parseId(text) ?? assert.fail(`no id: ${text}`);
const isBefore = (a: string, b: string) => compareIds(id(a), id(b)) < 0;

/** A client that keeps what reached it over all its connections. */
class Client {
  readonly published: Published[] = [];
  drops = 0;
  readonly #stage: Stage;
  readonly #partition: Partition;
  #reached: SseBlock[] = [];
  #current: Performance | undefined;

  constructor(stage: Stage, partition: Partition) {
    this.#stage = stage;
    this.#partition = partition;
  }

  async open(since: string, conflate: boolean): Promise<void> {
    this.#current = await this.#stage.subscribe("*", { since, conflate, sink: new MemorySink() });
  }

  async do(step: Step): Promise<void> {
    switch (step.kind) {
      case "publish":
        return await this.#publish(step);
      case "drop":
        return await this.#drop(step);
      default:
        this.#current?.sink[step.kind]();
    }
  }

  /** Reads until nothing is missing, and gives all that it got. */
  async finish(): Promise<readonly SseBlock[]> {
    const sink = this.#current?.sink ?? assert.fail("never opened");
    sink.release();
    const last = this.published.at(-1)?.id;
    // whatever was published last is the newest of its key
    await until(() => last === undefined || this.#given(this.#all()).includes(last));
    return this.#all();
  }

  #given(blocks: readonly SseBlock[]): string[] {
    return blocks.filter(({ event, data }) => event === "message" && data !== undefined)
      .map(({ data }) => JSON.parse(data ?? "").id);
  }

  #all(): SseBlock[] {
    return [...this.#reached, ...this.#current?.sink.blocks ?? []];
  }

  async #publish({ topic, keys, large }: Extract<Step, { kind: "publish" }>): Promise<void> {
    const body = JSON.stringify({ data: large ? "x".repeat(90_000) : "" });
    const reply = await this.#partition.commit({
      [topic]: keys.map((key) => ({ body, options: JSON.stringify({ key }) })),
    });
    const first = id(reply.firsts[0] ?? "");
    for (const [i, key] of keys.entries()) {
      this.published.push({ id: `${first.ms}-${first.seq + i}`, topic, key });
    }
  }

  async #drop({ part, conflate }: Extract<Step, { kind: "drop" }>): Promise<void> {
    const { sink, ended } = this.#current ?? assert.fail("never opened");
    sink.leave();
    await ended;
    const { blocks } = sink;
    // a client that got nothing at all comes back as it came
    const reached = blocks.slice(0, Math.max(1, Math.round((blocks.length * part) / 1_000)));
    this.#reached.push(...reached);
    this.drops++;
    await this.open(reached.at(-1)?.id ?? assert.fail("no block"), conflate);
  }
}

function assertTrue({ published, drops }: Client, blocks: readonly SseBlock[]): void {
  const events = blocks.filter(({ data }) => data !== undefined);
  const gaps = events.flatMap(({ event, data }, at): (Gap & { at: number })[] =>
    event === "$gap" ? [{ ...JSON.parse(data ?? ""), at }] : []
  );
  const given = new Map<string, number>();
  for (const [at, { event, data }] of events.entries()) {
    if (event === "message") given.set(JSON.parse(data ?? "").id, at);
  }
  const ids = events.filter(({ event }) => event === "message")
    .map(({ data }) => JSON.parse(data ?? "").id);
  for (const [i, one] of ids.entries()) {
    assert.ok(i === 0 || isBefore(ids[i - 1], one), `${one} comes after ${ids[i - 1]}`);
  }
  const missing = published.filter(({ id }) => !given.has(id));
  for (const { id, topic, key } of missing) {
    assert.notEqual(key, undefined, `${id} has no key`);
    const newer = published.find((one) =>
      given.has(one.id) && one.topic === topic && one.key === key && isBefore(id, one.id)
    );
    assert.ok(newer, `${id} is the newest of ${key}`);
    const told = gaps.find((gap) =>
      gap.topic === topic && gap.reason === "conflated" && isBefore(gap.after, id) &&
      isBefore(id, gap.before) && gap.at < (given.get(newer.id) ?? -1)
    );
    assert.ok(told, `${id} was left out without a word`);
  }
  const skipped = gaps.reduce((sum, gap) => sum + gap.skipped, 0);
  if (drops === 0) assert.equal(skipped, missing.length);
  else assert.ok(skipped >= missing.length, "what a dropped client was told, it may be told again");
}

Deno.test("Subscription that conflates ends with the newest of each key, in order, and announces each one it leaves out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      await using partition = redis.open();
      await using stage = new Stage(partition);
      const client = new Client(stage, partition);
      await client.open("earliest", true);
      for (const one of steps) await client.do(one);
      assertTrue(client, await client.finish());
    }),
    { numRuns: 60 },
  );
});
