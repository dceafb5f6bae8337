import type { ChainableCommander, Redis } from "ioredis";
import { formatId, readId } from "../../codec/id.ts";
import type { RawEntry } from "../entry.ts";
import type { RedisNode } from "../node.ts";
import { throwFirst } from "../replies.ts";
import { type Collection, COLLECTIONS, type Member } from "./collection.ts";
import { type KeyMarks, sortMarks } from "./marks.ts";

/** A partition at one place: the node, and what its keys start with. */
export interface Place {
  readonly node: RedisNode;
  readonly base: string;
}

/** What becomes of a key: nothing, the whole of it goes to some places, or each element to one. */
export type KeyPlan =
  | { readonly kind: "skip" }
  | { readonly kind: "whole"; readonly to: readonly Place[] }
  | {
    readonly kind: "members";
    readonly to: readonly Place[];
    /** The places of each element; none for one that stays behind. */
    readonly placesOf: (members: readonly Member[]) => Promise<readonly (readonly Place[])[]>;
  };

type Destination = Exclude<KeyPlan, { readonly kind: "skip" }>;

/** Options of {@link KeyCopier}. */
export interface KeyCopierOptions {
  readonly from: Place;
  /** The plan for a key by the part of its name behind the base and a colon. */
  readonly planOf: (rest: string) => KeyPlan;
}

/** What a page of a stream weighs about at the most. */
const PAGE_BYTES = 1 << 20;
const PAGE_MOST = 500;
const PAGE_FIRST = 16;
/** How many keys are copied at once. */
const WORKERS = 16;

/** Copies keys of a partition to other places, whole or what was marked, a bounded piece at a time. */
export class KeyCopier {
  readonly #from: Place;
  readonly #planOf: KeyCopierOptions["planOf"];

  constructor({ from, planOf }: KeyCopierOptions) {
    this.#from = from;
    this.#planOf = planOf;
  }

  /** Copies a key with all its elements, to places where nothing of it is yet. */
  async copy(rest: string): Promise<void> {
    const plan = this.#planOf(rest);
    if (plan.kind === "skip") return;
    const type = await this.#read((client) => client.type(this.#key(rest)));
    if (type === "none") return;
    if (type === "stream") await this.#copyStream(rest, plan.to);
    else if (type === "string") await this.#copyString(rest, plan.to);
    else await this.#copyMembers(rest, { plan, collection: collectionOf(type) });
    await this.#copyExpiry(rest, plan.to);
  }

  /** Copies several keys. */
  async copyAll(rests: readonly string[]): Promise<void> {
    await inTurns(rests, (rest) => this.copy(rest));
  }

  /** Brings the marked keys and elements up to date. */
  async apply(marks: readonly string[]): Promise<void> {
    await inTurns(sortMarks(marks), (own) => this.#applyTo(own));
  }

  async #applyTo({ key, whole, stream, expiry, collection, members }: KeyMarks): Promise<void> {
    const rest = key.slice(this.#from.base.length + 1);
    const plan = this.#planOf(rest);
    if (plan.kind === "skip") return;
    if (whole) return await this.#renew(rest, plan.to);
    if (stream) await this.#copyStream(rest, plan.to);
    if (collection !== undefined) await this.#update(rest, { plan, collection, members });
    if (expiry) await this.#copyExpiry(rest, plan.to);
  }

  async #renew(rest: string, to: readonly Place[]): Promise<void> {
    const type = await this.#read((client) => client.type(this.#key(rest)));
    // a stream only grows at one end and is cut at the other
    if (type !== "stream") await this.#forget(rest, to);
    await this.copy(rest);
  }

  async #update(
    rest: string,
    { plan, collection, members }: {
      plan: Destination;
      collection: Collection;
      members: readonly string[];
    },
  ): Promise<void> {
    const values = await this.#read((client) => collection.read(client, this.#key(rest), members));
    const there: Member[] = [];
    const gone: string[] = [];
    for (const [i, member] of members.entries()) {
      const value = values[i];
      if (value === undefined) gone.push(member);
      else there.push([member, value]);
    }
    if (gone.length > 0) {
      await toEach(plan.to, (pipeline, base) => {
        collection.remove(pipeline, `${base}:${rest}`, gone);
      });
    }
    await this.#writeMembers(rest, { plan, collection, members: there });
  }

  async #copyMembers(
    rest: string,
    { plan, collection }: { plan: Destination; collection: Collection },
  ): Promise<void> {
    let cursor = "0";
    do {
      const [next, members] = await this.#read((client) =>
        collection.scan(client, this.#key(rest), cursor)
      );
      await this.#writeMembers(rest, { plan, collection, members });
      cursor = next;
    } while (cursor !== "0");
  }

  async #writeMembers(
    rest: string,
    { plan, collection, members }: {
      plan: Destination;
      collection: Collection;
      members: readonly Member[];
    },
  ): Promise<void> {
    if (members.length === 0) return;
    const shares = await sharesOf(plan, members);
    await Promise.all(
      [...shares].map(([place, share]) =>
        write(place, (pipeline) => collection.write(pipeline, `${place.base}:${rest}`, share))
      ),
    );
  }

  async #copyString(rest: string, to: readonly Place[]): Promise<void> {
    const text = await this.#read((client) => client.get(this.#key(rest)));
    if (text === null) return;
    await toEach(to, (pipeline, base) => pipeline.set(`${base}:${rest}`, text));
  }

  async #copyStream(rest: string, to: readonly Place[]): Promise<void> {
    for (const place of to) await this.#copyTail(rest, place);
    const [first] = await this.#read((client) =>
      client.xrange(this.#key(rest), "-", "+", "COUNT", 1)
    );
    if (first === undefined) return await this.#forget(rest, to);
    await toEach(to, (pipeline, base) => {
      pipeline.xtrim(`${base}:${rest}`, "MINID", "=", first[0]);
    });
  }

  /** What a stream has after the last entry that is there already. */
  async #copyTail(rest: string, place: Place): Promise<void> {
    const key = `${place.base}:${rest}`;
    const [last] = await place.node.run((client) => client.xrevrange(key, "+", "-", "COUNT", 1));
    let after = last === undefined ? "-" : `(${last[0]}`;
    let count = PAGE_FIRST;
    for (;;) {
      const entries: RawEntry[] = await this.#read((client) =>
        client.xrange(this.#key(rest), after, "+", "COUNT", count)
      );
      const end = entries.at(-1);
      if (end === undefined) return;
      await write(place, (pipeline) => {
        for (const [id, fields] of entries) pipeline.xadd(key, id, ...fields);
      });
      if (entries.length < count) return;
      after = `(${formatId(readId(end[0]))}`;
      const bytes = entries.reduce((sum, [, fields]) => sum + fields.join("").length, 0);
      count = Math.max(
        1,
        Math.min(PAGE_MOST, Math.floor(PAGE_BYTES * entries.length / (bytes + 1))),
      );
    }
  }

  async #copyExpiry(rest: string, to: readonly Place[]): Promise<void> {
    const at = Number(await this.#read((client) => client.call("PEXPIRETIME", this.#key(rest))));
    if (at <= 0) return;
    await toEach(to, (pipeline, base) => pipeline.pexpireat(`${base}:${rest}`, at));
  }

  async #forget(rest: string, to: readonly Place[]): Promise<void> {
    await toEach(to, (pipeline, base) => pipeline.unlink(`${base}:${rest}`));
  }

  #key(rest: string): string {
    return `${this.#from.base}:${rest}`;
  }

  #read<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    return this.#from.node.run(work);
  }
}

function collectionOf(type: string): Collection {
  const collection = COLLECTIONS[type];
  if (collection === undefined) throw new TypeError(`Cannot copy a key of the type ${type}`);
  return collection;
}

/** What each place gets. */
async function sharesOf(
  plan: Destination,
  members: readonly Member[],
): Promise<Map<Place, Member[]>> {
  if (plan.kind === "whole") return new Map(plan.to.map((place) => [place, [...members]]));
  const shares = new Map<Place, Member[]>();
  const places = await plan.placesOf(members);
  for (const [i, member] of members.entries()) {
    for (const place of places[i] ?? []) {
      const share = shares.get(place);
      if (share === undefined) shares.set(place, [member]);
      else share.push(member);
    }
  }
  return shares;
}

/** Does something with each, some at once. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(Array.from({ length: WORKERS }, async () => {
    for (const one of left) await work(one);
  }));
}

async function toEach(
  to: readonly Place[],
  queue: (pipeline: ChainableCommander, base: string) => void,
): Promise<void> {
  await Promise.all(to.map((place) => write(place, (pipeline) => queue(pipeline, place.base))));
}

async function write(
  { node }: Place,
  queue: (pipeline: ChainableCommander) => void,
): Promise<void> {
  await node.run(async (client) => {
    const pipeline = client.pipeline();
    queue(pipeline);
    throwFirst(await pipeline.exec());
  });
}
