import { RunnelError } from "../errors.ts";
import type {
  GroupName,
  LeasedMessage,
  PullOp,
  PullResult,
  SettleOp,
  SettleResult,
} from "../redis/group.ts";
import type { Partition } from "./partition.ts";
import type { Outlook, Place } from "./waiting_line.ts";

/** A pull whose group starts at a place of its own in each partition, where it is new. */
export interface SpanPullOp extends Omit<PullOp, "since"> {
  /** Where a new group starts in a partition, by its number. */
  readonly since: (partition: number) => string;
}

/** A place in the lines of a group, as {@link Place} is in one. */
export type GroupPlace = Pick<Place, "turn" | "found" | "lost" | "leave">;

/** Pulls and acknowledges messages of a group. */
export interface GroupCalls {
  /** @throws RunnelError why not, or `outcome_unknown` */
  pull(op: SpanPullOp): Promise<PullResult>;
  /** @throws RunnelError why not, or `outcome_unknown` */
  settle(op: SettleOp): Promise<SettleResult>;
}

/** What a span needs of a partition. */
export interface SpanPart extends Pick<Partition, "number"> {
  readonly calls: Pick<Partition["calls"], "pull" | "settle">;
  readonly waiters: Pick<Partition["waiters"], "enter">;
}

/**
 * The partitions of a group's topic or pattern, as one. Where there are several, ids are `<p>.<id>` and a lease is
 * `<p>.<lease>` for each partition it holds messages of, joined by `~`.
 */
export class GroupSpan implements GroupCalls {
  readonly #parts: readonly SpanPart[];
  readonly #only: SpanPart | undefined;

  constructor(parts: readonly SpanPart[]) {
    this.#parts = parts;
    this.#only = parts.length === 1 ? parts[0] : undefined;
  }

  /** Takes a place in the group's line, to be given back. */
  enter(name: GroupName): GroupPlace {
    if (this.#only !== undefined) return this.#only.waiters.enter(name);
    return new SpanPlace(this.#parts.map(({ waiters }) => waiters.enter(name)));
  }

  async pull(op: SpanPullOp): Promise<PullResult> {
    if (this.#only !== undefined) {
      return await this.#only.calls.pull({ ...op, since: op.since(this.#only.number) });
    }
    const looks = await this.#look(op);
    const refused = looks.find(({ result }) => result.problem !== undefined);
    if (refused !== undefined) return refused.result;
    const repeated = looks.filter(({ result }) => result.repeated);
    if (repeated.length > 0) return merge(repeated, looks);
    return merge(await this.#take(op, looks), looks);
  }

  async settle(op: SettleOp): Promise<SettleResult> {
    if (this.#only !== undefined) return await this.#only.calls.settle(op);
    const leases = new Map((op.lease ?? "").split("~").map((text) => splitNumber(text)));
    const first = new Map<SpanPart, string[]>();
    for (const id of op.ids) {
      for (const part of this.#partsOf(id)) addTo(first, part, id);
    }
    const settled = await this.#settleIn(first, { op, leases });
    const left = op.ids.filter((id) => !settled.has(id));
    if (left.length === 0) return { kind: "settle", done: op.ids.length, unknown: [] };
    // a partition that was split since gave its messages to several
    const others = new Map<SpanPart, string[]>();
    for (const id of left) {
      const asked = this.#partsOf(id);
      for (const part of this.#parts) if (!asked.includes(part)) addTo(others, part, id);
    }
    for (const id of await this.#settleIn(others, { op, leases })) settled.add(id);
    const unknown = op.ids.filter((id) => !settled.has(id));
    return { kind: "settle", done: op.ids.length - unknown.length, unknown };
  }

  /** Asks every partition whether it has something, and what an attempt that is repeated still holds. */
  async #look(op: SpanPullOp): Promise<Pull[]> {
    const answers = await Promise.allSettled(this.#parts.map(async (part) => ({
      part,
      result: await part.calls.pull({ ...op, since: op.since(part.number), max: 0 }),
    })));
    const looks = answers.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const failure = answers.find((one) => one.status === "rejected");
    // one that is out of reach does not keep the others from working
    if (looks.length === 0 && failure !== undefined) throw failure.reason;
    return looks;
  }

  /** Leases messages of one partition after the other, from any of them on, until there are enough. */
  async #take(op: SpanPullOp, looks: readonly Pull[]): Promise<Pull[]> {
    const ready = looks.filter(({ result }) => result.more);
    const from = Math.floor(Math.random() * ready.length);
    const held = looks.reduce((sum, { result }) => sum + (result.held ?? 0), 0);
    const pulls: Pull[] = [];
    let taken = 0;
    let failure: unknown;
    for (const { part, result: look } of [...ready.slice(from), ...ready.slice(0, from)]) {
      if (taken >= op.max) break;
      const room = Math.max((op.cap ?? Infinity) - held - taken, 0);
      const cap = op.cap === undefined ? {} : { cap: (look.held ?? 0) + room };
      const since = op.since(part.number);
      try {
        const result = await part.calls.pull({ ...op, since, max: op.max - taken, ...cap });
        pulls.push({ part, result });
        taken += result.messages.length;
      } catch (error) {
        failure = error;
        // what may have been leased is told again to whoever repeats the attempt
        if (error instanceof RunnelError && error.code === "outcome_unknown") break;
      }
    }
    // what others gave is leased already
    if (taken === 0 && failure !== undefined) throw failure;
    return pulls;
  }

  #partsOf(id: string): readonly SpanPart[] {
    const [number] = splitNumber(id);
    const part = this.#parts.find((one) => one.number === number);
    return part === undefined ? this.#parts : [part];
  }

  async #settleIn(
    asked: ReadonlyMap<SpanPart, readonly string[]>,
    { op, leases }: { op: SettleOp; leases: ReadonlyMap<number | undefined, string> },
  ): Promise<Set<string>> {
    const settled = new Set<string>();
    await Promise.all([...asked].map(async ([part, ids]) => {
      // of ids that name different partitions of before, each has a lease of its own
      const byLease = new Map<string | undefined, string[]>();
      for (const id of ids) addTo(byLease, leases.get(splitNumber(id)[0]), id);
      for (const [lease, texts] of byLease) {
        const { lease: _, ...rest } = op;
        const own = op.lease === undefined ? {} : { lease: lease ?? "-" };
        const bare = texts.map((text) => splitNumber(text)[1]);
        const { unknown } = await part.calls.settle({ ...rest, ...own, ids: bare });
        const missed = new Set(unknown);
        for (const text of texts) if (!missed.has(splitNumber(text)[1])) settled.add(text);
      }
    }));
    return settled;
  }
}

/** Gives back at once what a pull leased for somebody who has gone; nothing comes of it where Redis has gone too. */
export async function giveBack(
  calls: Pick<GroupCalls, "settle">,
  name: GroupName,
  { lease, messages }: PullResult,
): Promise<void> {
  if (lease === undefined || messages.length === 0) return;
  const ids = messages.flatMap(({ message: { id } }) => id ?? []);
  // where this fails the lease runs out, as that of any consumer that is gone
  await calls.settle({ kind: "nack", name, ids, lease, delayMs: 0 }).catch(() => {});
}

/** Why a pull was refused, as an error. */
export function refusalOf(problem: NonNullable<PullResult["problem"]>): RunnelError {
  return new RunnelError(problem === "attempt" ? "stale_attempt" : "group_deleting");
}

interface Pull {
  readonly part: SpanPart;
  readonly result: PullResult;
}

function merge(pulls: readonly Pull[], looks: readonly Pull[]): PullResult {
  const messages: LeasedMessage[] = [];
  const leases: string[] = [];
  let leaseUntil = Infinity, nextDue = Infinity;
  for (const { part, result } of pulls) {
    if (result.lease === undefined) continue;
    leases.push(`${part.number}.${result.lease}`);
    leaseUntil = Math.min(leaseUntil, result.leaseUntil ?? Infinity);
    for (const { message, deliveries } of result.messages) {
      messages.push({ message: { ...message, id: `${part.number}.${message.id}` }, deliveries });
    }
  }
  const latest = new Map(looks.map(({ part, result }) => [part, result]));
  for (const { part, result } of pulls) latest.set(part, result);
  for (const result of latest.values()) nextDue = Math.min(nextDue, result.nextDue ?? Infinity);
  return {
    kind: "pull",
    messages,
    more: [...latest.values()].some(({ more }) => more),
    created: looks.some(({ result }) => result.created),
    repeated: pulls.some(({ result }) => result.repeated),
    ...(leases.length === 0 ? {} : { lease: leases.join("~"), leaseUntil }),
    ...(nextDue === Infinity ? {} : { nextDue }),
  };
}

/** Splits `<p>.<rest>`; without a number where there is none. */
function splitNumber(text: string): [number: number | undefined, rest: string] {
  const [, number, rest] = /^(\d{1,2})\.(.+)$/.exec(text) ?? [];
  return number === undefined || rest === undefined ? [undefined, text] : [Number(number), rest];
}

function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** A place in the line of each partition. Whoever is called looks at all of them, so that no call is lost. */
class SpanPlace implements GroupPlace {
  readonly #places: readonly Place[];

  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  async turn(outlook: Outlook, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const stop = () => over.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const turns = this.#places.map((place) => place.turn(outlook, over.signal));
    await Promise.race(turns);
    stop();
    signal.removeEventListener("abort", stop);
    await Promise.all(turns);
  }

  found(what: { more: boolean }): void {
    for (const place of this.#places) place.found(what);
  }

  lost(): void {
    for (const place of this.#places) place.lost();
  }

  leave(): void {
    for (const place of this.#places) place.leave();
  }
}
