import { parseRedisUrl } from "./address.ts";
import type { RedisOptions } from "./options.ts";

/** How to reach a Redis that is not configured: as one that is, with its user, password and certificates. */
export function furtherOptions(known: RedisOptions, url: string): RedisOptions {
  const { username, password } = known.address;
  const address = parseRedisUrl(url);
  const sentinel = known.sentinel ?? (address.tls ? { tls: known.tls ?? {} } : undefined);
  return {
    ...known,
    ...(address.sentinel === undefined || sentinel === undefined ? {} : { sentinel }),
    address: {
      ...address,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    },
  };
}
