import type { RedisServer } from "./local_redis.ts";

/** What can be started. */
export const TOPOLOGIES = ["single", "tls", "sentinel", "cluster", "shards"] as const;

/** The name of a topology. */
export type TopologyName = typeof TOPOLOGIES[number];

/** What a server does at the start; a failover may give it another part. */
export type ServerPart = "primary" | "replica" | "sentinel";

/** One server of a topology. */
export interface TopologyServer {
  readonly part: ServerPart;
  readonly server: RedisServer;
}

/** Servers that stand together. Disposing it ends them and removes their data. */
export interface Topology extends AsyncDisposable {
  readonly name: TopologyName;
  /** Environment variables by which Runnel reaches it, `REDIS_URL` among them. */
  readonly env: Readonly<Record<string, string>> & { readonly REDIS_URL: string };
  readonly servers: readonly TopologyServer[];
}

/** Options of whatever starts a topology. */
export interface TopologyOptions {
  /** Where others are to reach a server that listens on a port, such as a proxy's port. @default there */
  readonly front?: (port: number) => number;
  /** How many shards there are. @default 3 */
  readonly shards?: number;
  /** Password of the data servers. @default none */
  readonly password?: string;
  /** Password of the Sentinels. @default none */
  readonly sentinelPassword?: string;
  /** Whether the data servers speak TLS and ask for client certificates. @default only of `tls` */
  readonly tls?: boolean;
  /** Whether the Sentinels do. @default as the data servers */
  readonly sentinelTls?: boolean;
  /** Further flags of the data servers. @default [] */
  readonly args?: readonly string[];
}
