import type { RedisServer } from "./local_redis.ts";

/** Keys that are moved in one command. */
const KEYS_A_STEP = 10;
const MIGRATE_MS = 5_000;

/** What a slot is moved by. */
export interface SlotMove {
  readonly slot: number;
  readonly from: RedisServer;
  readonly to: RedisServer;
  /** All primaries, which are told the new owner. */
  readonly primaries: readonly RedisServer[];
  /** Password of the servers. @default none */
  readonly password?: string | undefined;
}

/**
 * Moves a slot with its keys from one primary of a Cluster to another, as an operator does: a step may be repeated where
 * it failed.
 *
 * @throws {Error} what a server refused
 */
export async function moveSlot({ slot, from, to, primaries, password }: SlotMove): Promise<void> {
  const [source, target] = await Promise.all([from, to].map((one) => one.cli("CLUSTER", "MYID")));
  await to.cli("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", `${source}`);
  await from.cli("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", `${target}`);
  for (;;) {
    const keys = await from.cli("CLUSTER", "GETKEYSINSLOT", `${slot}`, `${KEYS_A_STEP}`);
    if (keys === "") break;
    await from.cli(
      ...["MIGRATE", "127.0.0.1", `${to.port}`, "", "0", `${MIGRATE_MS}`],
      ...(password === undefined ? [] : ["AUTH", password]),
      ...["KEYS", ...keys.split("\n")],
    );
  }
  // the new owner first, so that nobody is sent to one that does not know yet
  for (const one of [to, from, ...primaries.filter((one) => one !== to && one !== from)]) {
    await one.cli("CLUSTER", "SETSLOT", `${slot}`, "NODE", `${target}`);
  }
}

/** The primary that has a slot; undefined where none of them has. */
export async function ownerOf(
  slot: number,
  primaries: readonly RedisServer[],
): Promise<RedisServer | undefined> {
  for (const primary of primaries) {
    const nodes = await primary.cli("CLUSTER", "NODES");
    const own = nodes.split("\n").find((line) => line.includes("myself")) ?? "";
    if (rangesOf(own).some(([first, last]) => first <= slot && slot <= last)) return primary;
  }
  return undefined;
}

// "<id> <address> <flags> <primary> <ping> <pong> <epoch> <state> <slot>|<first>-<last> ... [slots on the move]"
function rangesOf(line: string): [first: number, last: number][] {
  return line.split(" ").slice(8).flatMap((text): [number, number][] => {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
    return first === undefined ? [] : [[Number(first), Number(last ?? first)]];
  });
}
