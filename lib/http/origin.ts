import { RunnelError } from "../errors.ts";

/** Which Hosts and Origins a server answers. */
export interface OriginPolicy {
  /** Whether any Host is answered, as on a server with a public name; else loopback names only. */
  readonly anyHost: boolean;
  /** Origins allowed beside loopback ones, such as `https://app.example.com`; `*` allows all, `null` included. */
  readonly corsOrigins: readonly string[];
  /** Whether pages on this machine are allowed whatever the Host is. @default true */
  readonly loopbackOrigins?: boolean;
}

/**
 * Refuses the requests that a foreign website makes through its visitor's browser. A server on loopback is reachable
 * for every website: directly, with its own Origin, and by DNS rebinding, with its own Host.
 *
 * @param request Its Host with port (see {@link urlHost}), and its Origin header.
 * @throws {RunnelError} `host_not_allowed` or `origin_not_allowed`.
 */
export function checkOrigin(
  { host, origin }: { host: string; origin: string | null },
  policy: OriginPolicy,
): void {
  if (!policy.anyHost && !isLoopbackHost(hostName(host))) {
    throw new RunnelError("host_not_allowed");
  }
  if (origin !== null && !isAllowedOrigin(origin, host, policy)) {
    throw new RunnelError("origin_not_allowed");
  }
}

/** Whether pages of `origin` may use a server that was addressed as `host`. */
export function isAllowedOrigin(origin: string, host: string, policy: OriginPolicy): boolean {
  return policy.corsOrigins.includes("*") || isNamedOrigin(origin, host, policy);
}

/** Whether that is so because the origin is named, is the server's own, or both are on this machine: not by `*`. */
export function isNamedOrigin(origin: string, host: string, policy: OriginPolicy): boolean {
  if (origin !== "*" && policy.corsOrigins.includes(origin)) return true;
  const url = parseOrigin(origin);
  if (url === undefined) return false;
  const { loopbackOrigins = true, anyHost } = policy;
  if (isLoopbackHost(url.hostname)) return loopbackOrigins || isLoopbackHost(hostName(host));
  return anyHost && url.host === host.toLowerCase();
}

/**
 * Whether a host name or address is this machine's own: `localhost`, `*.localhost`, `127.0.0.0/8`, `::1`; IPv6 with or
 * without brackets, no port.
 */
export function isLoopbackHost(name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === "localhost" || lower === "127.0.0.1" || lower === "[::1]" || lower === "::1") {
    return true;
  }
  return /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(lower) ||
    /^([a-z0-9_-]{1,63}\.)+localhost$/.test(lower);
}

/** The host and port of a request's URL, where the runtime puts the Host header, or what HTTP/2 has for it. */
export function urlHost(url: string): string {
  const start = url.indexOf("://") + 3;
  for (let end = start; end < url.length; end++) {
    const character = url[end];
    if (character === "/" || character === "?" || character === "#") return url.slice(start, end);
  }
  return url.slice(start);
}

/** A Host without its port. Whatever is not exactly a name and a port stays as it is and equals no name. */
export function hostName(host: string): string {
  const colon = host.lastIndexOf(":");
  if (colon < 0 || host.endsWith("]")) return host;
  return /^\d{1,5}$/.test(host.slice(colon + 1)) ? host.slice(0, colon) : host;
}

function parseOrigin(origin: string): URL | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  return url.origin === origin && /^https?:$/.test(url.protocol) ? url : undefined;
}
