import { RunnelError } from "../errors.ts";

/** One place where partitions can be. */
export interface PlacedShard {
  readonly id: string;
  /** Its address without user and password. */
  readonly url: string;
}

/**
 * Which partition is where. Every shard has a copy, of which the one with the highest epoch counts; and where a copy is
 * out of date, the partition's former place says where it has gone.
 */
export interface Placement {
  /** Names the deployment, so that shards of two are never mixed. */
  readonly deployment: string;
  /** Rises with every change. */
  readonly epoch: number;
  /** Whether all shards agreed to be the deployment's. */
  readonly ready: boolean;
  /** A power of two. */
  readonly partitions: number;
  readonly shards: readonly PlacedShard[];
  /** The shard's id for each partition. */
  readonly places: readonly string[];
  /** What subscriptions' names are signed with. */
  readonly secret: string;
  /** What opens the partitions where they came of one that was split. */
  readonly token?: string;
}

/** What one shard has written down. */
export interface ShardRecord {
  /** Its id; undefined where it was never used. */
  readonly shard: string | undefined;
  readonly placement: Placement | undefined;
  /** The placement that holds as soon as the one partition there is was split. */
  readonly next: Placement | undefined;
}

/** Reads a shard's id, its placement and the next one. */
export function readRecord(
  [shard, placement, next]: readonly (string | null | undefined)[],
): ShardRecord {
  // written by Runnel alone
  const read = (text: string | null | undefined) =>
    text ? JSON.parse(text) as Placement : undefined;
  return { shard: shard ? shard : undefined, placement: read(placement), next: read(next) };
}

/**
 * The placement that counts among those that shards have; undefined where none is ready.
 *
 * @throws RunnelError `not_configured` where they are of different deployments
 */
export function newest(records: readonly ShardRecord[]): Placement | undefined {
  const ready = records.flatMap(({ placement }) => placement?.ready ? [placement] : []);
  const [first, ...others] = ready.sort((a, b) => b.epoch - a.epoch);
  if (others.some(({ deployment }) => deployment !== first?.deployment)) throw mixed();
  return first;
}

/** Why shards cannot be used together. */
export function mixed(): RunnelError {
  return new RunnelError(
    "not_configured",
    "REDIS_URL names Redis servers of different deployments of Runnel",
  );
}
