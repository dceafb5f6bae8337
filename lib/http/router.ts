import { RunnelError } from "../errors.ts";

/** What a router needs to know of a route. */
export interface Routable {
  /** An HTTP method in upper case. */
  readonly method: string;
  /** Segments without a slash at either end, such as `publish` or `topics/:topic/messages`. */
  readonly path: string;
}

/** A path that is known, with all its methods. */
export interface Match<R extends Routable> {
  /** The route for each method. */
  readonly methods: ReadonlyMap<string, R>;
  /** What an `Allow` header says. */
  readonly allow: readonly string[];
  /** The segments that stand for the path's `:names`, still encoded. */
  readonly encoded: Readonly<Record<string, string>>;
  /** What comes before the path, with a slash at either end. */
  readonly prefix: string;
}

/** Most paths that are known, and most characters of each: any prefix may come before a route. */
const KNOWN_MOST = 256;
const KNOWN_LENGTH = 256;

interface Template<R extends Routable> {
  readonly segments: readonly string[];
  readonly methods: Map<string, R>;
  readonly allow: string[];
}

/**
 * Finds routes by the last segments of a path, so that any prefix may come before them. The longest path that fits
 * wins, among those the one with more literal segments.
 */
export class Router<R extends Routable> {
  readonly #templates: readonly Template<R>[];
  /** What was found for paths without names in them: the same few are asked for again and again. */
  readonly #known = new Map<string, Match<R>>();

  /** @throws {TypeError} Two routes have the same method and path. */
  constructor(routes: readonly R[]) {
    const byPath = new Map<string, Template<R>>();
    for (const route of routes) addRoute(byPath, route);
    this.#templates = [...byPath.values()].sort(bySpecificity);
  }

  /** The route of a path with its leading slash; undefined where none fits. One slash at the end is tolerated. */
  match(path: string): Match<R> | undefined {
    return this.#known.get(path) ?? this.#find(path);
  }

  #find(path: string): Match<R> | undefined {
    const given = path.split("/");
    if (given.length > 2 && given[given.length - 1] === "") given.pop();
    const found = this.#templates.find((template) => fits(template.segments, given));
    if (found === undefined) return undefined;
    const { segments, methods, allow } = found;
    const prefix = `${given.slice(0, given.length - segments.length).join("/")}/`;
    const match = { methods, allow, encoded: capture(segments, given), prefix };
    const isLiteral = literals(found) === segments.length;
    if (isLiteral && path.length <= KNOWN_LENGTH) {
      if (this.#known.size >= KNOWN_MOST) this.#known.clear();
      this.#known.set(path, match);
    }
    return match;
  }
}

/**
 * The captured segments, percent-decoded.
 *
 * @throws {RunnelError} `invalid_request` for what is not percent-encoded UTF-8.
 */
export function decodeParams(encoded: Readonly<Record<string, string>>): Record<string, string> {
  const params: Record<string, string> = {};
  for (const name in encoded) params[name] = decodeSegment(encoded[name] ?? "", name);
  return params;
}

function addRoute<R extends Routable>(byPath: Map<string, Template<R>>, route: R): void {
  const template = byPath.get(route.path) ??
    { segments: route.path.split("/"), methods: new Map<string, R>(), allow: ["OPTIONS"] };
  if (template.methods.has(route.method)) {
    throw new TypeError(`Cannot have two routes for ${route.method} ${route.path}`);
  }
  template.methods.set(route.method, route);
  template.allow.push(...(route.method === "GET" ? ["GET", "HEAD"] : [route.method]));
  byPath.set(route.path, template);
}

function bySpecificity<R extends Routable>(a: Template<R>, b: Template<R>): number {
  return b.segments.length - a.segments.length || literals(b) - literals(a);
}

function literals<R extends Routable>(template: Template<R>): number {
  return template.segments.filter((segment) => !segment.startsWith(":")).length;
}

/** `given` starts with the empty text before the first slash, which no segment may take. */
function fits(segments: readonly string[], given: readonly string[]): boolean {
  const offset = given.length - segments.length;
  if (offset < 1) return false;
  return segments.every((segment, i) =>
    segment.startsWith(":") ? given[offset + i] !== "" : given[offset + i] === segment
  );
}

function capture(segments: readonly string[], given: readonly string[]): Record<string, string> {
  const offset = given.length - segments.length;
  const encoded: Record<string, string> = {};
  segments.forEach((segment, i) => {
    if (segment.startsWith(":")) encoded[segment.slice(1)] = given[offset + i] ?? "";
  });
  return encoded;
}

function decodeSegment(segment: string, name: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    const detail = "Must be percent-encoded UTF-8";
    const pointer = `/{${name}}`;
    throw new RunnelError("invalid_request", `${pointer}: ${detail}`, {
      cause,
      errors: [{ pointer, detail }],
    });
  }
}
