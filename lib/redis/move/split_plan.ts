import { partitionOf } from "../../codec/partition_of.ts";
import { throwFirst } from "../replies.ts";
import type { Member } from "./collection.ts";
import type { KeyPlan, Place } from "./key_copier.ts";
import { isOfThePlace, staysBehind } from "./move_plan.ts";

/** What a group's keys end in. */
const GROUP_KEY = /^g:(.*\|[^|]*?)(?::(due|held|lease|n|seen|c|ready|topics))?$/;

/** Options of {@link SplitPlan}. */
export interface SplitPlanOptions {
  /** The partition that is split. */
  readonly from: Place;
  /** Where each of those that come of it goes, by its number. */
  readonly to: readonly Place[];
}

/**
 * The plan by which a partition is split into several, each with its own topics. All of them get its clock and its
 * generations, so that a cursor of before is right in each; none gets its log, which names topics of all.
 */
export class SplitPlan {
  readonly #from: Place;
  readonly #to: readonly Place[];

  constructor({ from, to }: SplitPlanOptions) {
    this.#from = from;
    this.#to = to;
  }

  /** The plan for a key. */
  planOf(rest: string): KeyPlan {
    if (staysBehind(rest)) return { kind: "skip" };
    const [kind = ""] = rest.split(":", 1);
    const topic = rest.slice(kind.length + 1);
    switch (kind) {
      case "meta":
        return this.#byMember((member) => this.#metaPlaces(member));
      case "gens":
      case "pg":
        return { kind: "whole", to: this.#to };
      case "cfg":
      case "topics":
        return this.#byMember(([member]) => [this.#of(member)]);
      case "t":
      case "tg":
      case "dead":
      case "q":
        return { kind: "whole", to: [this.#of(topic)] };
      case "f":
        return this.#byLookup(async (members) => await this.#confirmationPlaces(rest, members));
      case "i":
      case "qk":
        return this.#byMember(([member]) => [this.#of(firstWord(member))]);
      case "later":
        return rest === "later"
          ? this.#byLookup((members) => this.#placesBy("later:m", members))
          : this.#byMember(([, value]) => [this.#of(value.split("\n", 1)[0] ?? "")]);
      case "g":
        return this.#groupPlan(rest);
      default:
        // the log, and the records of write lanes: whoever looks for one finds it here
        return { kind: "skip" };
    }
  }

  /**
   * Counts anew what a pattern group's consumers hold in each partition, and which messages of their last attempts are
   * there.
   */
  async settle(): Promise<void> {
    const keys = await this.#from.node.run((client) => client.hkeys(`${this.#from.base}:pg`));
    await Promise.all(
      this.#to.flatMap((place) =>
        keys.map((gkey) => settleGroup(place, `${place.base}:g:${gkey}`))
      ),
    );
  }

  #of(topic: string): Place {
    const place = this.#to[partitionOf(topic, this.#to.length)];
    if (place === undefined) {
      throw new TypeError("Cannot place a topic: there is no such partition");
    }
    return place;
  }

  #metaPlaces(member: Member): readonly Place[] {
    if (isOfThePlace(member)) return [];
    const [field] = member;
    return field.startsWith("t:") ? [this.#of(field.slice(2))] : this.#to;
  }

  #groupPlan(rest: string): KeyPlan {
    const [, gkey = "", part = ""] = GROUP_KEY.exec(rest) ?? [];
    const sub = gkey.slice(0, gkey.lastIndexOf("|"));
    if (!gkey.includes("*")) return { kind: "whole", to: [this.#of(sub)] };
    switch (part) {
      case "held":
        return this.#byMember(([, value]) => [this.#of(firstWord(value))]);
      case "lease":
        return this.#byMember(([, value]) => [this.#of(topicOfLease(value))]);
      case "due":
        return this.#byLookup((members) => this.#placesBy(`g:${gkey}:lease`, members));
      case "ready":
      case "topics":
        return this.#byMember(([member]) => [this.#of(member)]);
      default:
        return { kind: "whole", to: this.#to };
    }
  }

  /** A hash all of whose fields go where its topic is. */
  async #confirmationPlaces(
    rest: string,
    members: readonly Member[],
  ): Promise<(Place | undefined)[]> {
    const topic = await this.#from.node.run((client) =>
      client.hget(`${this.#from.base}:${rest}`, "t")
    );
    return members.map(() => topic === null ? undefined : this.#of(topic));
  }

  /** Places of elements whose topic stands in a hash, under the same name. */
  async #placesBy(hash: string, members: readonly Member[]): Promise<(Place | undefined)[]> {
    const names = members.map(([member]) => member);
    const values = await this.#from.node.run((client) =>
      client.hmget(`${this.#from.base}:${hash}`, ...names)
    );
    const topicOf = hash === "later:m"
      ? (value: string) => value.split("\n", 1)[0] ?? ""
      : topicOfLease;
    return values.map((value) => value ? this.#of(topicOf(value)) : undefined);
  }

  #byMember(places: (member: Member) => readonly Place[]): KeyPlan {
    return {
      kind: "members",
      to: this.#to,
      placesOf: (members) => Promise.resolve(members.map((member) => places(member))),
    };
  }

  #byLookup(
    placesOf: (members: readonly Member[]) => Promise<(Place | undefined)[]>,
  ): KeyPlan {
    return {
      kind: "members",
      to: this.#to,
      placesOf: async (members) =>
        (await placesOf(members)).map((place) => place === undefined ? [] : [place]),
    };
  }
}

function firstWord(text: string): string {
  return text.split(" ", 1)[0] ?? "";
}

// "deliveries lease state topic consumer"
function topicOfLease(text: string): string {
  return text.split(" ")[3] ?? "";
}

async function settleGroup({ node }: Place, group: string): Promise<void> {
  const held = new Map<string, number>();
  const here = new Set<string>();
  const leases = await node.run((client) => client.hgetall(`${group}:lease`));
  for (const [id, lease] of Object.entries(leases)) {
    const [, , state, , consumer = ""] = lease.split(" ");
    here.add(id);
    // nobody in particular has no count
    if (state === "L" && consumer !== "*") held.set(consumer, (held.get(consumer) ?? 0) + 1);
  }
  const attempts = await node.run((client) => client.hgetall(`${group}:c`));
  await node.run(async (client) => {
    const pipeline = client.pipeline().unlink(`${group}:n`);
    if (held.size > 0) pipeline.hset(`${group}:n`, ...[...held].flat());
    for (const [consumer, record] of Object.entries(attempts)) {
      // "attempt lease process ids"
      const [attempt, lease, process, ids = ""] = record.split(" ");
      const own = ids.split(",").filter((id) => here.has(id)).join(",");
      pipeline.hset(`${group}:c`, consumer, `${attempt} ${lease} ${process} ${own}`);
    }
    throwFirst(await pipeline.exec());
  });
}
