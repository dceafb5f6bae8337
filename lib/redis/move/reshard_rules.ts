import { recordKey } from "../keys.ts";
import { grantOf, missingRules } from "../permission_check.ts";
import {
  CALLED_COMMANDS,
  CHANNEL_COMMANDS,
  RESHARD_COMMANDS,
  SCRIPT_COMMANDS,
} from "../permissions.ts";
import type { Shard } from "../shard.ts";
import { MoveFailure } from "./partition_move.ts";

const COMMANDS = [
  ...SCRIPT_COMMANDS,
  ...CALLED_COMMANDS,
  ...CHANNEL_COMMANDS,
  ...RESHARD_COMMANDS,
];

/**
 * Makes sure that the user may do everything at a shard, before anything is done.
 *
 * @throws {MoveFailure} that names the rules which are missing
 * @throws RedisFailure where it cannot be asked
 */
export async function checkRules(
  shard: Shard,
  { username, prefix }: { readonly username: string | undefined; readonly prefix: string },
): Promise<void> {
  const node = await shard.nodeOf(recordKey(prefix));
  const missing = await node.run((client) => missingRules(client, { commands: COMMANDS, prefix }));
  if (missing.length === 0) return;
  throw new MoveFailure(`${shard.url} does not allow it: ${grantOf(username, missing)}`);
}
