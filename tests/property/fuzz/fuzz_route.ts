/** What the generator knows of a route. */
import type { Chance } from "./chance.ts";
import type { FuzzBody, FuzzRequest } from "./fuzz_request.ts";
import type { Known } from "./known.ts";

/** The parts of a valid request that differ from none. */
export interface Draft {
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly lines?: unknown[];
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** One route, or one way to use it. */
export interface FuzzRoute {
  /** Its name in reports. */
  readonly name: string;
  readonly method: string;
  /** How much of all requests is for it. */
  readonly weight: number;
  /** Statuses beyond 500 that are right here, by the code of their problem. @default none */
  readonly allows?: readonly string[];
  /** Makes a valid request. */
  readonly draft: (chance: Chance, known: Known) => Draft;
}

/** Where requests are sent that say nothing of it; the handler looks at the Host alone. */
export const HERE = "http://localhost:8000";

/** Makes the parts of a valid request. */
export function draftRequest(route: FuzzRoute, chance: Chance, known: Known): FuzzRequest {
  const { path, query = {}, headers = {}, ...rest } = route.draft(chance, known);
  const body = bodyOf(rest);
  return {
    route: route.name,
    method: route.method,
    origin: HERE,
    segments: [...path],
    query: Object.entries(query).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)])
    ),
    headers: [...Object.entries({ ...contentType(body), ...headers })],
    body,
  };
}

function bodyOf({ json, lines, bytes }: Omit<Draft, "path">): FuzzBody | undefined {
  if (bytes !== undefined) return { kind: "bytes", bytes };
  if (lines !== undefined) return { kind: "lines", values: lines };
  return json === undefined ? undefined : { kind: "json", value: json };
}

function contentType(body: FuzzBody | undefined): Record<string, string> {
  if (body?.kind === "json") return { "content-type": "application/json" };
  return body?.kind === "lines" ? { "content-type": "application/x-ndjson" } : {};
}
