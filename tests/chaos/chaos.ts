/** Everything at full speed while things break, and what came of it. */
import { AssertionError } from "node:assert/strict";
import { send } from "../_support/http.ts";
import { randomSource } from "../_support/random.ts";
import { sleep, until } from "../_support/until.ts";
import { putGroup } from "../_support/work.ts";
import { type Consumers, startConsumers } from "../fault/consumers.ts";
import { type PublishersOptions, startPublishers } from "../fault/publishers.ts";
import { examine, type Fault } from "../fault/verdict.ts";
import { CROWD, TOPICS, watchAll, type WatcherOptions } from "../fault/watcher.ts";
import { type FaultKind, faultsFor } from "./fault_kinds.ts";
import type { Ground } from "./ground.ts";
import { startLater } from "./later.ts";
import { longestPause } from "./pauses.ts";
import { brokenPromises } from "./promises.ts";

/** Options of {@link runChaos}. */
export interface ChaosOptions {
  readonly ground: Ground;
  /** The same seed picks the same faults. */
  readonly seed: number;
  /** How long faults are committed, in seconds: each once at the least, and the one under way is finished. */
  readonly seconds: number;
  /** What is done. @default all that the ground bears */
  readonly faults?: readonly FaultKind[];
  /** @default "replicated" where a replica can take a primary's place */
  readonly durability?: "stored" | "replicated";
  /** Told what is done. @default nobody */
  readonly tell?: (text: string) => void;
  /** No more faults: what was done so far is judged. */
  readonly signal?: AbortSignal;
  /** What a twin changes of the publishers. */
  readonly publishers?: Partial<PublishersOptions>;
  /** What a twin changes of the subscribers. */
  readonly watchers?: Partial<WatcherOptions>;
}

/** What a run came to. Counts are messages where they say nothing else; pauses are milliseconds. */
export interface ChaosResult {
  readonly seed: number;
  readonly durability: "stored" | "replicated";
  /** How often each fault was committed. */
  readonly faults: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly stored: number;
  /** To all subscribers together. */
  readonly delivered: number;
  /** Leased to consumers, and acknowledged or lost with them. */
  readonly worked: number;
  /** Delayed messages. */
  readonly delayed: number;
  /** What is wrong, announced or not, by what it is. */
  readonly found: Readonly<Record<string, number>>;
  /** `$gap` events. */
  readonly gaps: number;
  /** The longest time in which no message of a topic was acknowledged. */
  readonly publishPauseMs: number;
  /** The longest time in which a subscriber that stays was given no message of a topic. */
  readonly deliveryPauseMs: number;
  /** What was promised and not kept. */
  readonly broken: readonly Fault[];
}

/** How long anything may be refused, in milliseconds: longer than any fault lasts. */
const PATIENCE_MS = 90_000;
const LEASE_MS = 15_000;
/** Kept by each topic, so that all can be compared at the end. */
const MAX_MESSAGES = 10_000_000;
/** So many partitions that each topic has its own: all that can be said of order where their number is not known. */
const EACH_TOPIC = 2 ** 30;
/** Messages that are stored between two faults, at least, and how long that may take. */
const MORE = [200, PATIENCE_MS] as const;

/** Runs publishers, subscribers, consumers and delayed messages while faults are committed, and judges. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { ground, seed, tell = () => {} } = options;
  const durability = options.durability ?? (ground.failsOver ? "replicated" : "stored");
  const { urls, failsOver, replicas } = ground;
  const [url = ""] = urls;
  // of this run alone, also where a Redis is used again
  const prefix = `chaos-${crypto.randomUUID().slice(0, 8)}.`;
  const [topics, later] = [TOPICS.map((topic) => prefix + topic), `${prefix}later`];
  const groups = ["alone", "orders.*"].map((topic) => ({ topic: prefix + topic, group: "g" }));
  await using _names = {
    [Symbol.asyncDispose]: () => removeAll(url, { topics: [...topics, later], groups }),
  };
  for (const topic of [...topics, later]) await keepAll(url, topic);
  for (const names of groups) await putGroup(url, { ...names, since: "earliest" });
  const kinds = CROWD.map(({ topics, expects = topics }) => ({
    topics: topics.map((topic) => prefix + topic),
    expects: expects.map((topic) => prefix + topic),
  }));
  await using crowd = await watchAll(kinds, {
    ...{ urls, random: randomSource(seed), silenceMs: 30_000, patienceMs: PATIENCE_MS },
    ...options.watchers,
  });
  await using delayed = startLater({ urls, topic: later, seed, patienceMs: PATIENCE_MS });
  await using publishers = startPublishers({
    ...{ urls, topics, seed, durability, replicas, patienceMs: PATIENCE_MS },
    ...options.publishers,
  });
  await using stack = new AsyncDisposableStack();
  const consumers = groups.map((names, i) =>
    stack.use(startConsumers({ urls, ...names, count: 2, seed: seed + i, leaseMs: LEASE_MS }))
  );
  const done: Record<string, number> = {};
  const stuck: Fault[] = [];
  const step = (work: Promise<void>) => work.catch((error) => void stuck.push(asFault(error)));
  const progress = () => publishers.progress(...MORE);
  await step(commitFaults(options, { topics, done, progress }));
  tell("no more faults: waiting until everything has come");
  await step(publishers.stop());
  await step(delayed.stop());
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  const { partitions = EACH_TOPIC } = ground;
  const { faults, stored } = await examine({
    ...{ url, topics, acknowledged, watchers, timeoutMs: 120_000, partitions },
  });
  faults.push(...stuck);
  const worked = new Set<string>();
  for (const [i, { topic }] of groups.entries()) {
    const start = topic.replace("*", "");
    const ids = [...stored].flatMap(([name, messages]) =>
      name.startsWith(start) ? messages.map(({ id }) => id) : []
    );
    const theirs = consumers[i];
    if (theirs === undefined) continue;
    faults.push(...await workFaults(theirs, { ids, failsOver }));
    for (const id of theirs.worked) worked.add(id);
    await theirs.stop();
  }
  const late = await delayed.faults();
  for (const topic of [...topics, later]) {
    await send(`${url}/topics/${topic}`, { method: "DELETE" });
  }
  const staying = watchers.filter(({ stays }) => stays);
  return {
    ...{ seed, durability, faults: done, worked: worked.size, delayed: delayed.accepted },
    acknowledged: acknowledged.length,
    stored: [...stored.values()].reduce((sum, { length }) => sum + length, 0),
    delivered: watchers.reduce((sum, { seen }) => sum + seen.length, 0),
    found: countBy([...faults, ...late], ({ kind }) => kind),
    gaps: watchers.reduce((sum, { gaps }) => sum + gaps.length, 0),
    publishPauseMs: longestPause(acknowledged),
    deliveryPauseMs: Math.max(...staying.map(({ seen }) => longestPause(seen))),
    broken: [
      ...brokenPromises(faults, { failsOver, durability }),
      ...brokenPromises(late, { failsOver, durability: "stored" }),
    ],
  };
}

/** Commits faults one after the other until the time is over, and waits each time until all is well again. */
async function commitFaults(
  { ground, seed, seconds, faults = faultsFor(ground), tell = () => {}, signal }: ChaosOptions,
  { topics, done, progress }: {
    readonly topics: readonly string[];
    /** Counts them. */
    readonly done: Record<string, number>;
    readonly progress: () => Promise<void>;
  },
): Promise<void> {
  const random = randomSource(seed + 1);
  const start = performance.now();
  const isOver = () => performance.now() >= start + seconds * 1_000;
  // each of them once before any of them again
  let deck = [...faults];
  await progress();
  while (signal?.aborted !== true) {
    if (deck.length === 0) {
      if (isOver()) return;
      deck = [...faults];
    }
    if (isOver() && faults.every(({ name }) => name in done)) return;
    const [kind] = deck.splice(Math.floor(random() * deck.length), 1);
    if (kind === undefined) {
      await sleep(1_000);
      continue;
    }
    const second = ((performance.now() - start) / 1_000).toFixed(1).padStart(6);
    tell(`${second} s  ${kind.name}`);
    await kind.commit({ ground, topics, random });
    done[kind.name] = (done[kind.name] ?? 0) + 1;
    await ground.healed();
    await progress();
  }
}

/** What did not come in time. */
function asFault(error: unknown): Fault {
  if (error instanceof AssertionError) return { kind: "cut short", detail: error.message };
  throw error;
}

async function removeAll(
  url: string,
  { topics, groups }: {
    readonly topics: readonly string[];
    readonly groups: readonly { readonly topic: string; readonly group: string }[];
  },
): Promise<void> {
  const paths = [
    ...groups.map(({ topic, group }) => `${encodeURIComponent(topic)}/groups/${group}`),
    ...topics.map(encodeURIComponent),
  ];
  for (const path of paths) {
    // who ends with an error has more to tell than that this failed too
    await send(`${url}/topics/${path}`, { method: "DELETE" }).catch(() => {});
  }
}

async function keepAll(url: string, topic: string): Promise<void> {
  const { status, body } = await send(`${url}/topics/${topic}`, {
    method: "PUT",
    json: { maxMessages: MAX_MESSAGES },
  });
  if (status >= 300) throw new Error(`Cannot use ${topic}: ${status} ${JSON.stringify(body)}`);
}

/** Waits as long as there is progress, and says what no consumer was given. */
async function workFaults(
  { worked, acked }: Consumers,
  { ids, failsOver }: { ids: readonly string[]; failsOver: boolean },
): Promise<Fault[]> {
  // the ids of groups over several partitions have the partition before them
  const bare = (id: string) => id.replace(/^\d+\./, "");
  const missing = () => {
    const seen = new Set([...worked].map(bare));
    return ids.filter((id) => !seen.has(id));
  };
  let last = -1;
  while (missing().length > 0 && worked.size > last) {
    last = worked.size;
    await until(() => worked.size >= last + 1_000 || missing().length === 0, {
      timeoutMs: 2 * LEASE_MS,
      everyMs: 500,
      what: "work to be done",
    }).catch(() => {});
  }
  const lost = missing().map((id): Fault => ({ kind: "lost", detail: `the work ${id}` }));
  // an acknowledgement that a failover took is asked for again
  const again = failsOver ? [] : [...acked].filter(([, count]) => count > 1);
  return [
    ...lost,
    ...again.map(([id]): Fault => ({ kind: "seen twice", detail: `the work ${id}` })),
  ];
}

function countBy<T>(list: readonly T[], nameOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[nameOf(one)] = (counts[nameOf(one)] ?? 0) + 1;
  return counts;
}
