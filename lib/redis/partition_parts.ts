import type { Keys } from "./keys.ts";
import type { RedisNode } from "./node.ts";
import type { Reign } from "./reign.ts";

/** What every store of one partition works with. */
export interface PartitionParts {
  readonly node: RedisNode;
  readonly keys: Keys;
  readonly reign: Reign;
}
