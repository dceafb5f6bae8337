import { RunnelError } from "../errors.ts";
import { createLogger, type Logger } from "../log.ts";
import { authenticate, type AuthPolicy, type Identity, NOBODY } from "./auth.ts";
import { createContext, type RequestContext } from "./context.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { checkOrigin, isAllowedOrigin, type OriginPolicy, urlHost } from "./origin.ts";
import { problemResponse } from "./problem.ts";
import { requestIdOf } from "./request_id.ts";
import { decodeParams, type Match, type Routable, Router } from "./router.ts";

/** One endpoint: what it answers, and how. */
export interface Route extends Routable {
  /** Whether the request must be let in by the auth policy, Host and Origin. @default true */
  readonly auth?: false;
  /** Answers one request. A RunnelError it throws becomes a problem document, anything else an opaque 500. */
  handle(context: RequestContext): Promise<Response> | Response;
}

/** What the handler needs of the configuration. */
export interface HttpOptions {
  readonly log: Logger;
  readonly auth: AuthPolicy;
  /** Origins whose pages may use the server; `*` is any. */
  readonly corsOrigins: readonly string[];
}

/** Options of {@link createHandler}. */
export interface HandlerOptions {
  /** Where a configuration that cannot be read is reported, since its own log cannot be made. @default stderr */
  readonly log?: Logger;
}

/** Gives the configuration; called for each request. An error named `ConfigError` is answered as `not_configured`. */
export type HttpOptionsSource = () => HttpOptions | Promise<HttpOptions>;

/**
 * Makes the fetch function of some routes. It never rejects: every failure is answered with a problem document. Each
 * answer carries `x-request-id`; HEAD is answered as GET without a body, OPTIONS as a CORS preflight.
 *
 * @throws {TypeError} Two routes have the same method and path.
 */
export function createHandler(
  routes: readonly Route[],
  options: HttpOptionsSource,
  { log = createLogger() }: HandlerOptions = {},
): (request: Request) => Promise<Response> {
  const router = new Router(routes);
  const configure = reportOnce(options, log);
  return async (request) => {
    const requestId = requestIdOf(request);
    const origin = request.headers.get("origin");
    let settings: HttpOptions | undefined;
    let response: Response;
    try {
      const source = configure();
      settings = source instanceof Promise ? await source : source;
      const answer = dispatch(router, { request, requestId, origin, settings });
      response = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      response = failure(error, { request, requestId, log: settings?.log ?? log });
    }
    return finish(response, { request, requestId, origin, settings });
  };
}

/** One request on its way; headers are read once, since each reading costs. */
interface Exchange {
  readonly request: Request;
  readonly requestId: string;
  readonly origin: string | null;
  /** Undefined where they could not be read. */
  readonly settings: HttpOptions | undefined;
}

interface SettledExchange extends Exchange {
  readonly settings: HttpOptions;
}

function dispatch(router: Router<Route>, exchange: SettledExchange): Promise<Response> | Response {
  const { request, requestId, settings } = exchange;
  const { path, search } = splitUrl(request.url);
  const match = router.match(path);
  if (match === undefined) throw new RunnelError("not_found", "There is nothing at this path");
  const route = findRoute(match, request.method);
  if (route === undefined) return answerWithoutRoute(match, exchange);
  const identity = route.auth === false ? NOBODY : admit(exchange);
  const params = decodeParams(match.encoded);
  const { log } = settings;
  return route.handle(createContext({ request, search, params, requestId, log, identity }));
}

function findRoute(match: Match<Route>, method: string): Route | undefined {
  return match.methods.get(method) ?? (method === "HEAD" ? match.methods.get("GET") : undefined);
}

function answerWithoutRoute(match: Match<Route>, exchange: SettledExchange): Response {
  const { request, requestId, origin, settings } = exchange;
  if (request.method === "OPTIONS") {
    checkOrigin({ host: urlHost(request.url), origin }, originPolicy(settings));
    return preflight(request, match.allow);
  }
  const allow = match.allow.join(", ");
  const error = new RunnelError("method_not_allowed", `Allowed here: ${allow}`);
  return problemResponse(error, { requestId, headers: { allow } });
}

function admit({ request, origin, settings }: SettledExchange): Identity {
  const identity = authenticate(settings.auth);
  const policy = originPolicy(settings);
  if (!policy.anyHost || origin !== null) {
    checkOrigin({ host: urlHost(request.url), origin }, policy);
  }
  return identity;
}

function originPolicy({ auth, corsOrigins }: HttpOptions): OriginPolicy {
  return { anyHost: auth.allowOpen, corsOrigins };
}

/** Path and query of a URL; splitting is several times cheaper than parsing. */
function splitUrl(url: string): { path: string; search: string } {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const hash = url.indexOf("#", start);
  const end = hash < 0 ? url.length : hash;
  const question = url.indexOf("?", start);
  if (question < 0 || question > end) return { path: url.slice(start, end), search: "" };
  return { path: url.slice(start, question), search: url.slice(question, end) };
}

function failure(
  error: unknown,
  { request, requestId, log }: { request: Request; requestId: string; log: Logger },
): Response {
  const known = publicError(error, request);
  if (known.status === 500) log.error("Request failed", { requestId, error });
  else if (known.status > 500) log.debug("Request refused", { requestId, error });
  return problemResponse(known, { requestId });
}

function publicError(error: unknown, request: Request): RunnelError {
  if (error instanceof RunnelError) return error;
  if (isConfigError(error)) return new RunnelError("not_configured", undefined, { cause: error });
  const aborted = error instanceof DOMException && error.name === "AbortError" &&
    request.signal.aborted;
  return new RunnelError(aborted ? "client_closed" : "internal", undefined, { cause: error });
}

/** By name, because the error's class belongs to a module that this one does not know. */
function isConfigError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ConfigError";
}

/** Logs a configuration that is not valid at its first request only: it stays so until the process is replaced. */
function reportOnce(options: HttpOptionsSource, log: Logger): HttpOptionsSource {
  let reported: string | undefined;
  const report = (error: unknown): never => {
    if (isConfigError(error) && error.message !== reported) {
      reported = error.message;
      const problems = "problems" in error ? error.problems : undefined;
      log.error("The configuration is not valid", { problems });
    }
    throw error;
  };
  return () => {
    try {
      const source = options();
      return source instanceof Promise ? source.catch(report) : source;
    } catch (error) {
      return report(error);
    }
  };
}

/** Adds what every answer carries. Only answers to GET need `no-store`: no cache keeps another without being told to. */
function finish(response: Response, { request, requestId, origin, settings }: Exchange): Response {
  const head = request.method === "HEAD";
  const final = head ? withoutBody(response) : withRequestId(response, requestId);
  const { headers } = final;
  if (head) headers.set("x-request-id", requestId);
  headers.set("x-content-type-options", "nosniff");
  if ((head || request.method === "GET") && !headers.has("cache-control")) {
    headers.set("cache-control", "no-store");
  }
  if (origin !== null && settings !== undefined) {
    const allowed = isAllowedOrigin(origin, urlHost(request.url), originPolicy(settings));
    if (allowed) allowOrigin(headers, origin);
  }
  return final;
}

/** Copies a response whose headers cannot be changed, as one that came from `fetch()`. */
function withRequestId(response: Response, requestId: string): Response {
  try {
    response.headers.set("x-request-id", requestId);
    return response;
  } catch {
    return withRequestId(new Response(response.body, response), requestId);
  }
}

function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => {}); // Nobody reads it; what its source has to say about that is its own matter.
  return new Response(null, response);
}
