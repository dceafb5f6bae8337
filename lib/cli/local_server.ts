import { setTimeout as pause } from "node:timers/promises";
import { isLoopbackHost, urlHost } from "../http/origin.ts";
import { CliError } from "./cli_error.ts";

/** Where and how the server listens. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Certificate chain and key, both PEM; without them it speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** A server that is listening. */
export interface LocalServer {
  /** Where to reach it. */
  readonly url: string;
  /** Takes no more connections, and resolves when the last request is done or `patienceMs` milliseconds are over. */
  close(patienceMs: number): Promise<void>;
}

/**
 * Listens, and hands every request to the handler.
 *
 * @throws {CliError} when it cannot listen there.
 */
export function serve(
  handler: (request: Request) => Response | Promise<Response>,
  { host, port, tls }: ListenOptions,
): LocalServer {
  try {
    const options = { hostname: host, port, onListen: () => {}, ...tls };
    const server = Deno.serve(options, tls === undefined ? handler : withStrictTransport(handler));
    const shown = host.includes(":") ? `[${host}]` : host === "0.0.0.0" ? "127.0.0.1" : host;
    return {
      url: `http${tls ? "s" : ""}://${shown}:${server.addr.port}`,
      async close(patienceMs) {
        const over = new AbortController();
        const late = pause(patienceMs, undefined, { signal: over.signal }).catch(() => {});
        await Promise.race([server.shutdown(), late]);
        over.abort();
      },
    };
  } catch (error) {
    throw cannotListen(error, { host, port });
  }
}

const YEAR_SECONDS = 31_536_000;

/**
 * Tells browsers to come by TLS alone from now on, where that is Runnel's to say: it holds for all ports of a host, so
 * on a port other than that of https, or on this machine's own name, it would shut out whatever else is served there.
 */
export function withStrictTransport(
  handler: (request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await handler(request);
    const host = urlHost(request.url);
    if (/:\d+$/.test(host) || isLoopbackHost(host)) return response;
    response.headers.set("strict-transport-security", `max-age=${YEAR_SECONDS}`);
    return response;
  };
}

/**
 * Finds out whether one could listen there, before anything else is started.
 *
 * @throws {CliError} when not.
 */
export function assertFree({ host, port }: ListenOptions): void {
  try {
    Deno.listen({ hostname: host, port }).close();
  } catch (error) {
    throw cannotListen(error, { host, port });
  }
}

function cannotListen(error: unknown, { host, port }: ListenOptions): CliError {
  const [reason, advice] = explain(error, port);
  return new CliError(`Cannot listen on ${host}:${port}: ${reason}`, {
    advice: [advice],
    cause: error,
  });
}

function explain(error: unknown, port: number): [reason: string, advice: string] {
  if (error instanceof Deno.errors.AddrInUse) {
    return ["the port is in use", "Take another one: PORT=8001 deno task start"];
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return [`port ${port} needs more rights`, "Take one above 1023: PORT=8000 deno task start"];
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return ["the host is no address of this machine", "Look at HOST; the default is 127.0.0.1"];
  }
  return [
    error instanceof Error ? error.message : `${error}`,
    "Look at HOST, PORT, TLS_CERT and TLS_KEY",
  ];
}
