import type { Keys } from "./keys.ts";
import type { Reign } from "./reign.ts";
import type { ScriptCall } from "./script.ts";
import type { Site } from "./site.ts";

/** What every store of one partition works with. */
export class PartitionParts {
  readonly site: Site;
  readonly keys: Keys;
  readonly reign: Reign;

  constructor({ site, keys, reign }: { site: Site; keys: Keys; reign: Reign }) {
    this.site = site;
    this.keys = keys;
    this.reign = reign;
  }

  /** A call of one of the partition's scripts, with what each of them begins with, and its own keys and arguments. */
  call(names: readonly string[], args: readonly (string | number)[]): ScriptCall {
    const { site: { sharded }, keys, reign } = this;
    const guard = sharded ? [keys.guard] : [];
    return {
      keys: [keys.meta, keys.gens, ...names, ...guard],
      args: [`${reign.seen}${sharded ? "s" : ""}`, ...args],
    };
  }
}
