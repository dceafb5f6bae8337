/** How the servers of each topology are set up; docker-compose.yml has the same, and a test compares them. */
import { PERSISTENCE } from "../redis/persistence.ts";

/** Flags of every Redis that keeps data. */
export const DATA_FLAGS: readonly string[] = PERSISTENCE;

/** Further flags of a primary with replicas, and of its replicas: a new replica need not wait for others to come too. */
export const REPLICATION_FLAGS: readonly string[] = [
  ...["--repl-diskless-sync-delay", "0"],
  // after a short cut a replica goes on where it was, without a whole copy
  ...["--repl-backlog-size", "64mb"],
];

/** Further flags of the nodes of a Cluster: a part that is down does not stop the others. */
export const CLUSTER_FLAGS: readonly string[] = [
  ...["--cluster-enabled", "yes"],
  ...["--cluster-node-timeout", "2000"],
  ...["--cluster-require-full-coverage", "no"],
];

/** The name by which Sentinels know the set. */
export const MASTER = "runnel";

/** How many Sentinels must find the primary down. */
export const QUORUM = 2;

/** What Sentinels are told of a set, beside where its primary is. */
export const SENTINEL_SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ["down-after-milliseconds", "5000"],
  ["failover-timeout", "10000"],
  ["parallel-syncs", "1"],
];
