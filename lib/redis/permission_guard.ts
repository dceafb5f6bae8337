import type { Logger } from "../log.ts";
import { describeRedisAddress } from "./address.ts";
import { type RedisFailure, toRedisFailure } from "./failure.ts";
import type { Guard, GuardedNode } from "./options.ts";
import { grantOf, missingRules } from "./permission_check.ts";
import {
  CALLED_COMMANDS,
  CHANNEL_COMMANDS,
  CLUSTER_COMMANDS,
  SCRIPT_COMMANDS,
} from "./permissions.ts";

/** Options of {@link PermissionGuard}. */
export interface PermissionGuardOptions {
  readonly log: Logger;
  /** What every key starts with. */
  readonly prefix: string;
  /** Between two lines about the same node, in milliseconds. @default 30000 */
  readonly everyMs?: number;
}

/**
 * Keeps scripts from a node where the user lacks something that they call: one that is stopped half-way has written half
 * of what it should. And says in the log what is missing, once in a while for each node, however many calls are refused:
 * what a script says of it does not name the command.
 */
export class PermissionGuard implements Guard {
  readonly #options: Required<PermissionGuardOptions>;
  readonly #saidAt = new Map<string, number>();

  constructor(options: PermissionGuardOptions) {
    this.#options = { everyMs: 30_000, ...options };
  }

  async admit(node: GuardedNode): Promise<void> {
    const [publish = ""] = channelsOf(node);
    const missing = await this.#missingAt(node, [...SCRIPT_COMMANDS, publish]);
    if (missing.length === 0) return;
    const cause = new Error(`NOPERM the user lacks ${missing.join(" ")}`);
    throw toRedisFailure(cause, false);
  }

  heed(failure: RedisFailure, node: GuardedNode): void {
    const redis = describeRedisAddress(node.address);
    const now = performance.now();
    if (now - (this.#saidAt.get(redis) ?? -Infinity) < this.#options.everyMs) return;
    this.#saidAt.set(redis, now);
    void this.#tell(failure, { node, redis });
  }

  async #tell(
    { cause }: RedisFailure,
    { node, redis }: { node: GuardedNode; redis: string },
  ): Promise<void> {
    const commands = [...SCRIPT_COMMANDS, ...CALLED_COMMANDS, ...channelsOf(node)];
    const said = cause instanceof Error ? cause.message : `${cause}`;
    const asked = await this.#missingAt(node, commands).catch(() => []);
    // a Sentinel cannot be asked, and names the command by itself
    const [, command] = /run the '(\S+)' command/.exec(said) ?? [];
    const missing = asked.length > 0 || command === undefined ? asked : [`+${command}`];
    const user = node.address.username ?? "default";
    this.#options.log.error("Redis does not allow its user what Runnel needs", {
      redis,
      user,
      said,
      ...(missing.length === 0 ? {} : { missing, rule: grantOf(user, missing) }),
    });
  }

  #missingAt(node: GuardedNode, commands: readonly string[]): Promise<string[]> {
    const { prefix } = this.#options;
    return node.ask((client) => missingRules(client, { commands, prefix }));
  }
}

function channelsOf({ sharded }: GuardedNode): readonly string[] {
  return sharded ? CLUSTER_COMMANDS : CHANNEL_COMMANDS;
}
