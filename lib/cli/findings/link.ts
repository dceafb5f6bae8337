/** The links that Runnel has, each with the settings that make it what it is. */
import { describeRedisAddress } from "../../redis/address.ts";
import {
  type Endpoint,
  optionsAt,
  type RedisOptions,
  sentinelOptionsAt,
} from "../../redis/options.ts";

/** What part a server has: a Redis that stands alone, a primary that others can replace, or a Sentinel. */
export type ServerPart = "alone" | "primary" | "node" | "sentinel";

/** One link, to one server. */
export interface Link {
  /** What is to be at the other end; `node` is one of a Cluster. */
  readonly part: ServerPart;
  /** Who is at the other end, as a sentence begins. */
  readonly subject: string;
  /** Where that is. */
  readonly where: string;
  /** How it is reached; the address is a single server's. */
  readonly options: RedisOptions;
  readonly settings: LinkSettings;
}

/** Which settings a link comes of, in the words of an advice. */
export interface LinkSettings {
  /** What the variables of its TLS material begin with. */
  readonly tls: "REDIS_TLS" | "REDIS_SENTINEL_TLS";
  /** What makes it speak TLS. */
  readonly toTls: string;
  /** What makes it speak plain TCP. */
  readonly toPlain: string;
  /** Where its user and password stand. */
  readonly credentials: string;
  /** Where its host and port come from. */
  readonly address: string;
}

/** The link to one Redis that is named by its own address. */
export function serverLink(options: RedisOptions): Link {
  return {
    part: "alone",
    subject: "Redis",
    where: describeRedisAddress(options.address),
    options,
    settings: { ...redisSettings("redis"), address: "REDIS_URL" },
  };
}

/** The link to the primary that Sentinels name. */
export function primaryLink(options: RedisOptions, endpoint: Endpoint): Link {
  const at = optionsAt(options, endpoint);
  const settings = redisSettings("redis+sentinel");
  // with the scheme the Sentinels' links change too, unless they have a setting of their own
  const keeps = options.sentinel?.tls === undefined
    ? "and REDIS_SENTINEL_TLS=0, as the Sentinels speak none"
    : "and REDIS_SENTINEL_TLS=1, as the Sentinels speak it";
  const address = "what the Sentinels name; Redis behind another address needs replica-announce-ip";
  return {
    part: "primary",
    subject: "The primary that the Sentinels name",
    where: describeRedisAddress(at.address),
    options: at,
    settings: {
      ...settings,
      toTls: `${settings.toTls}, ${keeps}`,
      toPlain: `${settings.toPlain}, ${keeps}`,
      address,
    },
  };
}

/** The link to a node of a Cluster. */
export function nodeLink(options: RedisOptions, endpoint: Endpoint): Link {
  const at = optionsAt(options, endpoint);
  return {
    part: "node",
    subject: "A node of the Cluster",
    where: describeRedisAddress(at.address),
    options: at,
    settings: {
      ...redisSettings("redis+cluster"),
      address: "REDIS_URL or, where another node named it, cluster-announce-ip and -port",
    },
  };
}

/** The link to a Sentinel. */
export function sentinelLink(options: RedisOptions, endpoint: Endpoint): Link {
  const at = sentinelOptionsAt(options, endpoint);
  // without material of their own the Sentinels are given that of Redis
  const shares = at.tls !== undefined && at.tls === options.tls;
  return {
    part: "sentinel",
    subject: "The Sentinel",
    where: describeRedisAddress(at.address).replace(/^rediss?:\/\/|\/0$/g, ""),
    options: at,
    settings: {
      tls: shares ? "REDIS_TLS" : "REDIS_SENTINEL_TLS",
      toTls: "Set REDIS_SENTINEL_TLS=1, or write rediss+sentinel:// in REDIS_URL where Redis\n" +
        "itself speaks TLS too",
      toPlain: "Set REDIS_SENTINEL_TLS=0",
      credentials: "Look at REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD",
      address: "REDIS_URL",
    },
  };
}

function redisSettings(scheme: string): Omit<LinkSettings, "address"> {
  const secure = scheme.replace("redis", "rediss");
  return {
    tls: "REDIS_TLS",
    toTls: `Write ${secure}:// in place of ${scheme}:// in REDIS_URL`,
    toPlain: `Write ${scheme}:// in place of ${secure}:// in REDIS_URL`,
    credentials:
      "Look at REDIS_USERNAME and REDIS_PASSWORD, or at those in REDIS_URL (percent-encoded there)",
  };
}
