import type { Member } from "./collection.ts";
import type { KeyPlan, Place } from "./key_copier.ts";

/** Keys that say what processes do at a place, or that nobody misses: they begin anew at the next one. */
const LEFT_BEHIND = /^(procs|n:.*|health|sweep|census(:turn)?|dirty|doctor:.*)$/;
/** Fields of meta that belong to a place. */
const OF_THE_PLACE: ReadonlySet<string> = new Set(["state", "to", "move"]);

/** Whether a key stays where it is. */
export function staysBehind(rest: string): boolean {
  return LEFT_BEHIND.test(rest);
}

/** Whether an element of meta stays where it is. */
export function isOfThePlace([field]: Member): boolean {
  return OF_THE_PLACE.has(field);
}

/** The plan by which a partition goes to another place as a whole. */
export function movePlan(to: Place): (rest: string) => KeyPlan {
  return (rest) => {
    if (staysBehind(rest)) return { kind: "skip" };
    if (rest !== "meta") return { kind: "whole", to: [to] };
    return {
      kind: "members",
      to: [to],
      placesOf: (members) =>
        Promise.resolve(members.map((member) => isOfThePlace(member) ? [] : [to])),
    };
  };
}
