/** The names that valid requests use: few, so that what Redis holds stays bounded. */

/** Topics that anybody may publish to, as odd as they may be. */
export const TOPICS: readonly string[] = [
  ...["a", "b", "orders.eu", "orders.us", "x/y:z", "{tag}.1", "é.漢字.🏳", "x".repeat(512)],
  ...["__proto__", "constructor", "toString", "%41", "a%2Fb", "..", ".", "a|g:due", "a|g", "meta"],
  ...["a:b:c", '"quoted"', "back\\slash", "<b>&amp;", "a$b", "-1", "0", "null", "1-1"],
];

/** Where most questions go, so that some of those who answer find one that is still waiting. */
export const ASKED = "asked";

/** Topics and patterns that groups consume. */
export const WORKED: readonly string[] = [
  ...["a", "jobs", "__proto__", "a|g", "é.漢字.🏳", "orders.*", "jobs*"],
];

/** Topics and patterns that subscriptions want. */
export const WANTED: readonly string[] = [
  ...TOPICS,
  ...["orders.*", "**", "*", "x/*:*", "$dead.jobs", "$dead.*", "a*", "**.**", "never.there"],
];

/** Groups. */
export const GROUPS: readonly string[] = ["g", "workers", "__proto__", "é"];

/** Consumers of groups. */
export const CONSUMERS: readonly string[] = ["c1", "c2", "constructor", "漢字"];
