import type { Endpoint, RedisAddress } from "./options.ts";

const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26379;
const FORMS = "redis://[user:pass@]host[:port][/db], rediss://…, unix:/path[?db=n], " +
  "redis+sentinel://host,host/master or redis+cluster://host,host";

/**
 * Reads the address of one Redis: `redis://[[user]:pass@]host[:port][/db]`, `rediss://` for TLS,
 * `unix:/path[?db=n]` or `unix://[[user]:pass@]/path[?db=n]`; of Sentinels, `redis+sentinel://[…@]host[:port],…/master[/db]`;
 * or of a Cluster, `redis+cluster://[…@]host[:port],…`. User, password and path are percent-decoded.
 *
 * @throws {TypeError} What is wrong with it, never with any part of the text itself, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme === "unix") return parseUnix(text.slice(colon + 1));
  if (scheme === "redis" || scheme === "rediss") return parseTcp(text, scheme === "rediss");
  const [, tls, kind] = /^redis(s?)\+(sentinel|cluster)$/.exec(scheme) ?? [];
  if (kind !== undefined) return parseMany(text.slice(colon + 1), { kind, tls: tls === "s" });
  throw new TypeError(`Not a Redis URL that is supported: use ${FORMS}`);
}

/** The address as a URL without user and password, for logs and messages. */
export function describeRedisAddress(address: RedisAddress): string {
  const { path, host = "", port = DEFAULT_PORT, sentinel, cluster, db } = address;
  if (path !== undefined) {
    return `unix:${path.split("/").map(encodeURIComponent).join("/")}?db=${db}`;
  }
  const scheme = address.tls ? "rediss" : "redis";
  if (cluster !== undefined) return `${scheme}+cluster://${endpointList(cluster)}`;
  if (sentinel === undefined) return `${scheme}://${endpointList([{ host, port }])}/${db}`;
  const { endpoints, master } = sentinel;
  return `${scheme}+sentinel://${endpointList(endpoints)}/${encodeURIComponent(master)}/${db}`;
}

function endpointList(endpoints: readonly Endpoint[]): string {
  return endpoints
    .map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`)
    .join(",");
}

/** Reads `//[[user]:pass@]host[:port],…[/rest]`, which no URL parser takes because of its several hosts. */
function parseMany(rest: string, { kind, tls }: { kind: string; tls: boolean }): RedisAddress {
  if (!rest.startsWith("//") || /[?#]/.test(rest)) throw unreadable();
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const [first = "", second = "0", ...more] = slash < 0 ? [] : rest.slice(slash + 1).split("/");
  const at = authority.lastIndexOf("@");
  const [user = "", ...password] = authority.slice(0, Math.max(at, 0)).split(":");
  const common = { tls, ...credentials(user, password.join(":")) };
  const port = kind === "sentinel" ? SENTINEL_PORT : DEFAULT_PORT;
  const endpoints = authority.slice(at + 1).split(",").map((text) => parseEndpoint(text, port));
  if (more.length > 0) throw unreadable();
  if (kind === "cluster") {
    if (first !== "" && first !== "0") {
      throw new TypeError("A Redis Cluster has no other database than 0");
    }
    return { ...common, cluster: endpoints, db: 0 };
  }
  if (first === "") {
    throw new TypeError("The Redis URL names no master: redis+sentinel://host,host/master");
  }
  const sentinel = { endpoints, master: decode(first, "master") };
  return { ...common, sentinel, db: parseDb(second) };
}

function parseEndpoint(text: string, defaultPort: number): Endpoint {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s[\]:@]+))(?::(\d{1,5}))?$/.exec(text) ??
      [];
  const host = bracketed ?? plain;
  if (host === undefined) throw unreadable();
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) {
    throw new TypeError("The Redis URL's port is not between 1 and 65535");
  }
  return { host: decode(host, "host"), port: number };
}

function unreadable(): TypeError {
  // The runtime's own message repeats the whole URL, so it must not go on as the cause.
  return new TypeError(
    `Cannot read the Redis URL: use ${FORMS}, with special characters of a password percent-encoded`,
  );
}

function parseTcp(text: string, tls: boolean): RedisAddress {
  const url = parseUrl(text);
  if (url.hostname === "") throw new TypeError("The Redis URL names no host");
  if (url.search !== "" || url.hash !== "") {
    throw new TypeError(
      "The Redis URL has a query or fragment, which it cannot have; percent-encode ? and # in a password",
    );
  }
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  if (port === 0) throw new TypeError("The Redis URL's port is not between 1 and 65535");
  const host = decode(url.hostname, "host").replace(/^\[|\]$/g, "");
  return {
    host,
    port,
    tls,
    ...credentials(url.username, url.password),
    db: parsePath(url.pathname),
  };
}

function parseUnix(rest: string): RedisAddress {
  const hash = rest.indexOf("#");
  if (hash >= 0) throw new TypeError("The Redis URL has a fragment, which it cannot have");
  const question = rest.indexOf("?");
  const beforeQuery = question < 0 ? rest : rest.slice(0, question);
  const db = question < 0 ? 0 : parseDbQuery(rest.slice(question + 1));
  const { authority, path } = splitAuthority(beforeQuery);
  const [user = "", ...password] = authority.split(":");
  return {
    path: decode(path, "path"),
    tls: false,
    ...credentials(user, password.join(":")),
    db,
  };
}

/** Splits `//[user:pass@]/path` or `/path`; a path is absolute, and only user and password may precede it. */
function splitAuthority(text: string): { authority: string; path: string } {
  if (!text.startsWith("//")) return { authority: "", path: absolute(text) };
  const slash = text.indexOf("/", 2);
  const authority = slash < 0 ? text.slice(2) : text.slice(2, slash);
  if (authority !== "" && !authority.endsWith("@")) {
    throw new TypeError("A unix Redis URL has no host: write unix:/absolute/path");
  }
  return { authority: authority.slice(0, -1), path: absolute(slash < 0 ? "" : text.slice(slash)) };
}

function absolute(path: string): string {
  if (path.length < 2 || !path.startsWith("/")) {
    throw new TypeError("A unix Redis URL needs an absolute path: write unix:/absolute/path");
  }
  return path;
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw unreadable();
  }
}

function credentials(user: string, password: string): Pick<RedisAddress, "username" | "password"> {
  return {
    ...(user === "" ? {} : { username: decode(user, "user") }),
    ...(password === "" ? {} : { password: decode(password, "password") }),
  };
}

function decode(text: string, part: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw new TypeError(`The Redis URL's ${part} is not percent-encoded UTF-8`);
  }
  if (decoded.includes("\0")) throw new TypeError(`The Redis URL's ${part} contains a NUL`);
  return decoded;
}

function parsePath(path: string): number {
  return path === "" || path === "/" ? 0 : parseDb(path.slice(1));
}

function parseDbQuery(query: string): number {
  if (!query.startsWith("db=")) {
    throw new TypeError("A unix Redis URL's query can only be ?db=n");
  }
  return parseDb(query.slice(3));
}

function parseDb(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new TypeError("The Redis URL's database is not a number");
  return Number(text);
}
