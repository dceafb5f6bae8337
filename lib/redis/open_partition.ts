import type { RedisNode } from "./node.ts";
import { Script } from "./script.ts";
import { OPEN } from "./scripts/open.lua.ts";

const openScript = new Script(OPEN, "open");

/**
 * Opens a partition at the place where it came, once its former place has given it up.
 *
 * @returns false where another move brings it there
 * @throws RedisFailure
 */
export async function openAt(
  node: RedisNode,
  { meta, token }: { meta: string; token: string },
): Promise<boolean> {
  const opened = await node.run((client) =>
    openScript.run(client, { keys: [meta], args: [token] })
  );
  return Number(opened) === 1;
}
