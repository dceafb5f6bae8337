import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A Lua script that is sent by its hash, and whole only where the server does not know it yet. */
export class Script {
  /** SHA-1 of the source, as Redis names it. */
  readonly sha: string;

  constructor(readonly source: string) {
    this.sha = createHash("sha1").update(source).digest("hex");
  }

  /**
   * Runs the script. Sending it whole after NOSCRIPT is safe: a script that is not known has not run.
   *
   * @throws what the client throws, and the script's own errors
   */
  async run(client: Redis, call: { keys: string[]; args: (string | number)[] }): Promise<unknown> {
    try {
      return await client.evalsha(this.sha, call.keys.length, ...call.keys, ...call.args);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await client.eval(this.source, call.keys.length, ...call.keys, ...call.args);
    }
  }
}

/** Whether the server said that it does not know a script. */
export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
