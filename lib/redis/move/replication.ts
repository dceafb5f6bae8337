import type { RedisNode } from "../node.ts";
import { throwFirst } from "../replies.ts";

/** What a Redis says of its replication. */
export interface Replication {
  /** Another one after every start and every promotion. */
  readonly id: string;
  /** How many replicas are linked and follow. */
  readonly replicas: number;
}

/**
 * Asks a Redis about its replication.
 *
 * @throws RedisFailure
 */
export async function replicationOf(node: RedisNode): Promise<Replication> {
  const text = await node.run((client) => client.info("replication"));
  return {
    id: /^master_replid:(\w+)/m.exec(text)?.[1] ?? "",
    replicas: [...text.matchAll(/^slave\d+:.*\bstate=online\b/gm)].length,
  };
}

/**
 * Waits until so many replicas have what was written so far, so that a failover does not undo it.
 *
 * @param mark a field of a hash that is written once more as it is, since a connection waits for its own writes
 * @returns whether they have it
 * @throws RedisFailure
 */
export async function reachReplicas(
  node: RedisNode,
  { mark: { key, field, value }, replicas, ms }: {
    mark: { readonly key: string; readonly field: string; readonly value: string };
    replicas: number;
    ms: number;
  },
): Promise<boolean> {
  if (replicas === 0) return true;
  const [, reached] = await node.run(async (client) =>
    throwFirst(await client.pipeline().hset(key, field, value).wait(replicas, ms).exec())
  );
  return Number(reached) >= replicas;
}
