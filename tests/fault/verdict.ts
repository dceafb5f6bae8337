/** The one check of the fault tests: what was promised against what is stored and what was seen. */
import assert from "node:assert/strict";
import { compareIds, generationOf, type Id, parseId } from "../../lib/codec/id.ts";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { readHistory } from "../_support/history.ts";
import { publishId } from "../_support/http.ts";
import { until } from "../_support/until.ts";
import type { Acknowledged } from "./publishers.ts";
import type { Seen, Watcher } from "./watcher.ts";

/** What can be wrong. */
export type FaultKind =
  | "lost"
  | "stored twice"
  | "stored out of order"
  | "missed"
  | "seen twice"
  | "seen out of order"
  | "never stored"
  | "gap announced"
  | "cut short";

/** One promise that was broken. */
export interface Fault {
  readonly kind: FaultKind;
  readonly detail: string;
  /** Whether the subscriber was told afterwards, by a `$gap` with the reason `failover`. */
  readonly announced?: boolean;
}

/** A message of a topic's history. */
export type Stored = Omit<Seen, "at">;

/** What a run left behind. */
export interface Evidence {
  readonly url: string;
  readonly topics: readonly string[];
  readonly acknowledged: readonly Acknowledged[];
  readonly watchers: readonly Watcher[];
  /** How many partitions there are: order is each one's own. @default 1 */
  readonly partitions?: number;
  /** How long watchers may take to come to the end, in milliseconds. @default 20000 */
  readonly timeoutMs?: number;
}

/**
 * Publishes a last message to each topic, waits until every watcher has seen its own or the time is over, and compares.
 * Since a partition's order is total, whoever has seen the last of each has been given all it will ever get.
 */
export async function judge(evidence: Evidence): Promise<Fault[]> {
  return (await examine(evidence)).faults;
}

/** What a run came to. */
export interface Examination {
  readonly faults: Fault[];
  /** What each topic holds. */
  readonly stored: ReadonlyMap<string, readonly Stored[]>;
}

/** As {@link judge}, and says what is stored. */
export async function examine(evidence: Evidence): Promise<Examination> {
  const { url, topics, watchers, timeoutMs = 20_000, partitions = 1 } = evidence;
  const last = new Map<string, string>();
  for (const topic of topics) {
    const end = { topic, data: { n: `end of ${topic}` }, idempotencyKey: "end" };
    // the fault may not be over yet
    last.set(topic, await until(() => publishId(url, end), { what: "the end to be stored" }));
  }
  const hasEnded = (watcher: Watcher) =>
    watcher.expects.every((topic) => watcher.has(last.get(topic) ?? ""));
  await until(() => watchers.every(hasEnded), { timeoutMs, what: "the last messages" })
    .catch(() => {});
  const stored = new Map<string, Stored[]>();
  for (const topic of topics) stored.set(topic, await historyOf(url, topic));
  const faults = storageFaults(evidence.acknowledged, stored);
  for (const watcher of watchers) {
    if (!hasEnded(watcher)) faults.push({ kind: "cut short", detail: watcher.name });
    faults.push(...watcherFaults(watcher, { stored, partitions }));
  }
  return { faults, stored };
}

/** Fails with the first of the faults where there are any. */
export function assertFaultless(faults: readonly Fault[]): void {
  assert.deepEqual(faults.slice(0, 12), [], `${faults.length} promises were broken`);
}

/** Fails unless the check found each of these: the twin of a test must fail it. */
export function assertBroken(faults: readonly Fault[], ...kinds: readonly FaultKind[]): void {
  const found = new Set(faults.map(({ kind }) => kind));
  for (const kind of kinds) assert.ok(found.has(kind), `not ${kind}, but ${[...found].join(", ")}`);
}

async function historyOf(url: string, topic: string): Promise<Stored[]> {
  const messages = await readHistory(url, topic);
  // What the publishers of these tests send.
  return messages.map(({ id, data }) => ({ id: `${id}`, topic, n: (data as { n: string }).n }));
}

function storageFaults(
  acknowledged: readonly Acknowledged[],
  stored: ReadonlyMap<string, readonly Stored[]>,
): Fault[] {
  const faults: Fault[] = [];
  for (const { n, topic, id } of lostOf(acknowledged, stored)) {
    faults.push({ kind: "lost", detail: `${n} of ${topic} at ${id}` });
  }
  for (const [topic, messages] of stored) {
    const known = new Map<string, string>();
    const last = new Map<string, number>();
    for (const { n, id } of messages) {
      const twin = known.get(n);
      if (twin !== undefined) {
        faults.push({ kind: "stored twice", detail: `${n} of ${topic} at ${twin} and ${id}` });
        continue;
      }
      known.set(n, id);
      const [publisher = "", i = "0", k = "0"] = n.split("-");
      const place = Number(i) * 1_000 + Number(k);
      if (place < (last.get(publisher) ?? 0)) {
        faults.push({ kind: "stored out of order", detail: `${n} of ${topic}` });
      }
      last.set(publisher, place);
    }
  }
  return faults;
}

function lostOf(
  acknowledged: readonly Acknowledged[],
  stored: ReadonlyMap<string, readonly Stored[]>,
): readonly Acknowledged[] {
  const places = new Set<string>();
  for (const [topic, messages] of stored) {
    for (const { n, id } of messages) places.add(`${topic} ${id} ${n}`);
  }
  return acknowledged.filter(({ n, topic, id }) => !places.has(`${topic} ${id} ${n}`));
}

function watcherFaults(
  watcher: Watcher,
  { stored, partitions }: { stored: ReadonlyMap<string, readonly Stored[]>; partitions: number },
): Fault[] {
  const faults: Fault[] = [];
  const add = (kind: FaultKind, detail: unknown) =>
    faults.push({ kind, detail: `${watcher.name}: ${detail}` });
  const expected = new Map<string, Stored>();
  for (const topic of watcher.expects) {
    for (const message of stored.get(topic) ?? []) expected.set(message.id, message);
  }
  const seen = new Set<string>();
  const latest = new Map<number, Seen>();
  for (const [place, message] of watcher.seen.entries()) {
    const { id, n, topic } = message;
    const partition = partitionOf(topic, partitions);
    const previous = latest.get(partition);
    if (seen.has(id)) add("seen twice", `${n} at ${id}`);
    else if (previous !== undefined && comesBefore(readId(id), readId(previous.id))) {
      add("seen out of order", `${n} at ${id} after ${previous.id}`);
    }
    const original = expected.get(id);
    if (original?.n !== n || original.topic !== topic) {
      const announced = watcher.gaps.some((gap) => gap.reason === "failover" && gap.seen > place);
      faults.push({ kind: "never stored", detail: `${watcher.name}: ${n} at ${id}`, announced });
    }
    seen.add(id);
    latest.set(partition, message);
  }
  for (const [id, { n }] of expected) if (!seen.has(id)) add("missed", `${n} at ${id}`);
  for (const gap of watcher.gaps) add("gap announced", JSON.stringify(gap));
  return faults;
}

// after a failover that lost something a later generation can have earlier times
function comesBefore(a: Id, b: Id): boolean {
  return (generationOf(a) - generationOf(b) || compareIds(a, b)) < 0;
}

function readId(text: string | undefined): Id {
  const id = parseId(text ?? "");
  if (id === undefined) throw new TypeError(`Cannot read ${text}: it is no message id`);
  return id;
}
