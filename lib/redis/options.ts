import type { Redis } from "ioredis";
import type { Metrics } from "../metrics/metrics.ts";
import type { RedisFailure } from "./failure.ts";

/** Where a server listens. */
export interface Endpoint {
  /** Host name or IP address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** Whether two are one and the same. */
export function isSameEndpoint(a: Endpoint, b: Endpoint | undefined): boolean {
  return a.host === b?.host && a.port === b.port;
}

/** Where one Redis listens, or who tells, and who we are there. */
export interface RedisAddress {
  /** Host name or IP address; unset for a unix socket, and where others tell. */
  readonly host?: string;
  /** TCP port; unset like the host. */
  readonly port?: number;
  /** Set where Sentinels tell which Redis is the primary. */
  readonly sentinel?: { readonly endpoints: readonly Endpoint[]; readonly master: string };
  /** Set for a Cluster: some of its nodes, which tell of the others. */
  readonly cluster?: readonly Endpoint[];
  /** Path of a unix socket. */
  readonly path?: string;
  /** Whether the link is TLS. */
  readonly tls: boolean;
  /** ACL user; unset for the default user. */
  readonly username?: string;
  readonly password?: string;
  /** Number of the logical database. */
  readonly db: number;
}

/** TLS material, each as PEM text. */
export interface RedisTls {
  /** Certificate authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Client certificate, for mutual TLS. */
  readonly cert?: string;
  /** Private key of the client certificate. */
  readonly key?: string;
  /** Name to verify the server's certificate against; needed where the address is an IP. */
  readonly servername?: string;
}

/** How to reach one Redis. */
export interface RedisOptions {
  readonly address: RedisAddress;
  /** Command connections of this process, at least 1; the feed has one more of its own. */
  readonly connections: number;
  /** Longest wait for a TCP or TLS connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest wait for a reply, in milliseconds. */
  readonly commandTimeoutMs: number;
  readonly tls?: RedisTls;
  /** How to reach the Sentinels, where they tell the primary. */
  readonly sentinel?: SentinelOptions;
  /** Looks after what the user may do there. @default nobody does */
  readonly guard?: Guard;
  /** What is counted of links and commands. @default nothing */
  readonly metrics?: Metrics;
}

/** Looks after what a user may do. */
export interface Guard {
  /**
   * Called before the first call of a node, and again where that failed.
   *
   * @throws RedisFailure where the call must not be made
   */
  admit(node: GuardedNode): Promise<void>;
  /** A node has not allowed its user a command, key or channel. */
  heed(failure: RedisFailure, node: GuardedNode): void;
}

/** A node as a {@link Guard} sees it. */
export interface GuardedNode {
  readonly address: RedisAddress;
  /** Whether it is one of a Cluster. */
  readonly sharded: boolean;
  /** Asks it something. */
  ask<T>(work: (client: Redis) => Promise<T>): Promise<T>;
}

/** How to reach a server that others told of. */
export function optionsAt(options: RedisOptions, { host, port }: Endpoint): RedisOptions {
  const { cluster: _, sentinel: __, ...address } = options.address;
  return { ...options, address: { ...address, host, port } };
}

/** How to reach one of the Sentinels. */
export function sentinelOptionsAt(options: RedisOptions, { host, port }: Endpoint): RedisOptions {
  const { username, password, tls } = options.sentinel ?? {};
  const { connections, connectTimeoutMs, commandTimeoutMs } = options;
  return {
    address: {
      host,
      port,
      tls: tls !== undefined,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      db: 0,
    },
    connections,
    connectTimeoutMs,
    commandTimeoutMs,
    ...(tls === undefined ? {} : { tls }),
  };
}

/** How to reach Sentinels. */
export interface SentinelOptions {
  readonly username?: string;
  readonly password?: string;
  /** Unset for plain TCP. */
  readonly tls?: RedisTls;
}
