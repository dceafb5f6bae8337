import { createHash } from "node:crypto";
import type { ChainableCommander, Redis } from "ioredis";

/** Names of scripts by their hash and by their source: the files of this folder make them, so that there are some dozens. */
const NAMES = new Map<string, string>();

/** The name of a script by its hash, or by its source. */
export function scriptName(script: string): string {
  return NAMES.get(script) ?? "script";
}

/** A Lua script that is sent by its hash, and whole only where the server does not know it yet. */
export class Script {
  /** SHA-1 of the source, as Redis names it. */
  readonly sha: string;

  constructor(readonly source: string, name?: string) {
    this.sha = createHash("sha1").update(source).digest("hex");
    if (name !== undefined) NAMES.set(this.sha, name).set(source, name);
  }

  /**
   * Runs the script.
   *
   * @throws what the client throws, and the script's own errors
   */
  run(client: Redis, call: ScriptCall): Promise<unknown> {
    const { keys, args } = call;
    return withScripts((how) =>
      how === "hash"
        ? client.evalsha(this.sha, keys.length, ...keys, ...args)
        : client.eval(this.source, keys.length, ...keys, ...args)
    );
  }

  /** A call that is added to a pipeline within {@link withScripts}. */
  call(
    { keys, args }: ScriptCall,
  ): (pipeline: ChainableCommander, how: ScriptTransport) => void {
    return (pipeline, how) => {
      if (how === "hash") pipeline.evalsha(this.sha, keys.length, ...keys, ...args);
      else pipeline.eval(this.source, keys.length, ...keys, ...args);
    };
  }
}

/** What a script is called with. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Whether a script is sent by its hash or whole. */
export type ScriptTransport = "hash" | "source";

/**
 * Sends scripts by their hash, and where the server does not know one, everything again with the scripts whole. A script
 * that is not known has not run, so that a single one, or scripts that may run twice, are safe.
 *
 * @throws what `send` throws, but for NOSCRIPT
 */
export async function withScripts<T>(send: (how: ScriptTransport) => Promise<T>): Promise<T> {
  try {
    return await send("hash");
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return await send("source");
  }
}
