import type { RedisAddress } from "../../redis/options.ts";

// 104 bytes with the closing zero is what the strictest system (macOS) has room for.
const LONGEST_SOCKET_PATH = 103;
const PORT_ATTEMPTS = 5;

/**
 * Where a managed Redis may listen, best first: on the socket, which only this user reaches, and where that cannot be on
 * free loopback ports with a password of its own.
 */
export function* addresses(socket: string): Generator<RedisAddress> {
  if (new TextEncoder().encode(socket).length <= LONGEST_SOCKET_PATH) {
    yield { path: socket, tls: false, db: 0 };
  }
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const password = crypto.randomUUID().replaceAll("-", "");
    yield { host: "127.0.0.1", port: freePort(), tls: false, password, db: 0 };
  }
}

/** The address in the form of `REDIS_URL`. */
export function redisUrl({ path, host, port, password }: RedisAddress): string {
  if (path !== undefined) return `unix:${path.split("/").map(encodeURIComponent).join("/")}`;
  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return `redis://${credentials}${host}:${port}`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
