import { RunnelError } from "../errors.ts";
import { createLogger, type Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type AuditedRequest, auditManagement, auditRefusal } from "./audit.ts";
import { createContext, type RequestContext } from "./context.ts";
import { setSession } from "./cookies.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { refuseForeignPage, requireOwnPage } from "./csrf.ts";
import type { Admission, Gate } from "./gate.ts";
import { type Identity, NOBODY } from "./identity.ts";
import {
  checkOrigin,
  hostName,
  isAllowedOrigin,
  isNamedOrigin,
  type OriginPolicy,
  urlHost,
} from "./origin.ts";
import { problemResponse } from "./problem.ts";
import { requestIdOf } from "./request_id.ts";
import type { RouteDoc } from "./route_doc.ts";
import { decodeParams, type Match, type Routable, Router } from "./router.ts";
import type { Session } from "./ticket_office.ts";
import { takeTicket } from "./ticket_parameter.ts";

/** One endpoint: what it answers, and how. */
export interface Route extends Routable {
  /** Whether the request must be let in by the gate, Host and Origin. @default true */
  readonly auth?: false;
  /** Whether a ticket that opens it is answered with a cookie with which it can be opened again. @default false */
  readonly reopens?: true;
  /** Whether it manages topics or groups, so that whoever does it is named in the log. @default false */
  readonly manages?: true;
  /** What the API's description says of it; `hidden` where it is no part of the API, as a page's script. */
  readonly doc?: RouteDoc | "hidden";
  /** Answers one request. A RunnelError it throws becomes a problem document, anything else an opaque 500. */
  handle(context: RequestContext): Promise<Response> | Response;
}

/** What the handler needs of the configuration. */
export interface HttpOptions {
  readonly log: Logger;
  readonly gate: Gate;
  /** Origins whose pages may use the server; `*` is any. */
  readonly corsOrigins: readonly string[];
  /** What is counted of requests. @default nothing */
  readonly metrics?: Metrics;
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
    const begin = performance.now();
    const exchange = new Exchange(request);
    let response: Response;
    try {
      const source = configure();
      exchange.settings = source instanceof Promise ? await source : source;
      const answer = dispatch(router, exchange, exchange.settings);
      response = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      response = failure(error, exchange, exchange.settings?.log ?? log);
    }
    exchange.settings?.metrics?.requests.note(exchange.route, {
      status: response.status,
      ms: performance.now() - begin,
    });
    return finish(response, exchange);
  };
}

/** One request on its way; headers are read once, since each reading costs. */
class Exchange {
  readonly request: Request;
  readonly requestId: string;
  readonly origin: string | null;
  /** Undefined where they could not be read. */
  settings: HttpOptions | undefined;
  /** Undefined where none is there for it. */
  route: Route | undefined;
  /** Who made it, as soon as that is known. */
  by: Identity | undefined;
  /** What the answer sets, and for which paths. */
  session: { readonly session: Session; readonly path: string } | undefined;

  constructor(request: Request) {
    this.request = request;
    this.requestId = requestIdOf(request);
    this.origin = request.headers.get("origin");
  }

  /** What the audit log says of it. */
  get audited(): AuditedRequest {
    const { request: { method, url }, requestId, by } = this;
    return { requestId, method, path: splitUrl(url).path, identity: by?.name };
  }
}

function dispatch(
  router: Router<Route>,
  exchange: Exchange,
  settings: HttpOptions,
): Promise<Response> | Response {
  const { request } = exchange;
  const { path, search } = splitUrl(request.url);
  const match = router.match(path);
  if (match === undefined) throw new RunnelError("not_found", "There is nothing at this path");
  const route = findRoute(match, request.method);
  if (route === undefined) return answerWithoutRoute(match, exchange, settings);
  exchange.route = route;
  if (route.auth === false) return handle(route, { match, exchange, settings, search });
  const { ticket, search: rest } = takeTicket(search);
  const go = (admission: Admission) => {
    exchange.by = admission.identity;
    if (admission.byCookie) requireOwnPage(signsOf(exchange), originPolicy(settings));
    const { session } = admission;
    if (session !== undefined && route.reopens) exchange.session = { session, path: match.prefix };
    return handle(route, { match, exchange, settings, search: rest });
  };
  const admission = admit(exchange, settings, ticket);
  return admission instanceof Promise ? admission.then(go) : go(admission);
}

interface Handling {
  readonly match: Match<Route>;
  readonly exchange: Exchange;
  readonly settings: HttpOptions;
  readonly search: string;
}

function handle(
  route: Route,
  { match, exchange, settings, search }: Handling,
): Promise<Response> | Response {
  const { request, requestId } = exchange;
  const { log } = settings;
  const context = createContext({
    request,
    search,
    params: decodeParams(match.encoded),
    requestId,
    log,
    identity: exchange.by ?? NOBODY,
    audit: (error) => auditRefusal(log, exchange.audited, error),
  });
  const answer = route.handle(context);
  if (!route.manages) return answer;
  const note = (status: number) =>
    auditManagement(log, exchange.audited, { status, target: context.params });
  return Promise.resolve(answer).then((response) => {
    note(response.status);
    return response;
  }, (error) => {
    const { status } = publicError(error, request);
    // it may have been done all the same; what was refused has a line of its own
    if (status >= 500) note(status);
    throw error;
  });
}

function findRoute(match: Match<Route>, method: string): Route | undefined {
  return match.methods.get(method) ?? (method === "HEAD" ? match.methods.get("GET") : undefined);
}

function answerWithoutRoute(
  match: Match<Route>,
  { request, requestId, origin }: Exchange,
  settings: HttpOptions,
): Response {
  if (request.method === "OPTIONS") {
    checkOrigin({ host: urlHost(request.url), origin }, originPolicy(settings));
    return preflight(request, match.allow);
  }
  const allow = match.allow.join(", ");
  const error = new RunnelError("method_not_allowed", `Allowed here: ${allow}`);
  return problemResponse(error, { requestId, headers: { allow } });
}

function admit(
  { request, origin }: Exchange,
  settings: HttpOptions,
  ticket: string | undefined,
): Admission | Promise<Admission> {
  const { gate } = settings;
  const policy = originPolicy(settings);
  // before a ticket is spent
  if (!policy.anyHost || origin !== null) {
    checkOrigin({ host: urlHost(request.url), origin }, policy);
  }
  const { headers } = request;
  if (gate.isOpen) {
    if (origin === null && isRead(request)) {
      refuseForeignPage(headers.get("sec-fetch-site"), policy);
    }
    return gate.admit({ authorization: null, ticket, cookie: null });
  }
  return gate.admit({
    authorization: headers.get("authorization"),
    ticket,
    cookie: headers.get("cookie"),
  });
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

function signsOf({ request, origin }: Exchange) {
  return {
    method: request.method,
    host: urlHost(request.url),
    origin,
    fetchSite: request.headers.get("sec-fetch-site"),
  };
}

// a page of this machine may use what others may use too, unless somebody else's browser would show its cookies there
function originPolicy({ gate, corsOrigins }: HttpOptions): OriginPolicy {
  return { anyHost: gate.anyHost, corsOrigins, loopbackOrigins: gate.isOpen };
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

function failure(error: unknown, exchange: Exchange, log: Logger): Response {
  const { request, requestId } = exchange;
  const known = publicError(error, request);
  if (known.status === 500) log.error("Request failed", { requestId, error });
  else if (known.status > 500) log.debug("Request refused", { requestId, error });
  else auditRefusal(log, exchange.audited, known);
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
function finish(
  response: Response,
  { request, requestId, origin, settings, session }: Exchange,
): Response {
  const head = request.method === "HEAD";
  const final = head ? withoutBody(response) : withRequestId(response, requestId);
  const { headers } = final;
  if (head) headers.set("x-request-id", requestId);
  headers.set("x-content-type-options", "nosniff");
  if ((head || request.method === "GET") && !headers.has("cache-control")) {
    headers.set("cache-control", "no-store");
  }
  if (origin !== null && settings !== undefined) {
    const host = urlHost(request.url);
    const policy = originPolicy(settings);
    const credentials = !settings.gate.isOpen && isNamedOrigin(origin, host, policy);
    if (isAllowedOrigin(origin, host, policy)) allowOrigin(headers, origin, { credentials });
  }
  if (session !== undefined && final.ok && !isNavigation(request)) {
    const host = hostName(urlHost(request.url));
    setSession(headers, session.session, { request, host, path: session.path });
  }
  return final;
}

/** Whether somebody was led there by a link, and no page has opened it: that leaves nothing behind. */
function isNavigation({ headers }: Request): boolean {
  return headers.get("sec-fetch-mode") === "navigate";
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
