import type { ChainableCommander, Redis } from "ioredis";
import type { Keys } from "./keys.ts";
import type { Reign } from "./reign.ts";
import { throwFirst } from "./replies.ts";
import { Script, type ScriptCall, withScripts } from "./script.ts";
import { CHECK } from "./scripts/check.lua.ts";
import type { Site } from "./site.ts";

const checkScript = new Script(CHECK, "check");

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
    const { site: { sharded, elected }, keys, reign } = this;
    const guard = sharded ? [keys.guard] : [];
    return {
      keys: [keys.meta, keys.gens, ...names, ...guard],
      args: [`${reign.seen}${sharded ? "s" : ""}${elected ? "e" : ""}`, ...args],
    };
  }

  /**
   * Makes certain that the partition is here.
   *
   * @returns Redis's time, in milliseconds since 1970
   */
  async check(client: Redis): Promise<number> {
    return Number(await checkScript.run(client, this.call([], [])));
  }

  /**
   * Sends commands that only read, once it is certain that the partition is here.
   *
   * @returns their replies
   * @throws the first error among them
   */
  async read(queue: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    const check = checkScript.call(this.call([], []));
    const [, ...replies] = await this.site.run((client) =>
      withScripts(async (how) => {
        const pipeline = client.pipeline();
        check(pipeline, how);
        queue(pipeline);
        return throwFirst(await pipeline.exec());
      })
    );
    return replies;
  }
}
