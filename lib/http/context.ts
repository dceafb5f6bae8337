import type { RunnelError } from "../errors.ts";
import { type Logger, withFields } from "../log.ts";
import type { Identity } from "./identity.ts";

/** What a route's function gets. The parts that few routes need are made when they are first read. */
export interface RequestContext {
  readonly request: Request;
  /** The request's URL, made at first use; {@link search} and {@link params} cost less. */
  readonly url: URL;
  /** The query with its `?`, still encoded; empty where there is none. See `readQuery`. */
  readonly search: string;
  /** The path's `:names`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** Adds the request id to each line. */
  readonly log: Logger;
  readonly identity: Identity;
  /** Notes a refusal that is no answer of its own, as that of one message among others. */
  audit(error: RunnelError): void;
  /** Aborts when the client goes away, and also after a response was sent. */
  readonly signal: AbortSignal;
}

/** What {@link createContext} takes. */
export interface ContextParts {
  readonly request: Request;
  readonly search: string;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly log: Logger;
  readonly identity: Identity;
  readonly audit: (error: RunnelError) => void;
}

/** Makes the context of one request. */
export function createContext(parts: ContextParts): RequestContext {
  return new LazyContext(parts);
}

class LazyContext implements RequestContext {
  readonly request: Request;
  readonly search: string;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly identity: Identity;
  readonly audit: (error: RunnelError) => void;
  readonly #log: Logger;
  #ownLog: Logger | undefined;
  #url: URL | undefined;

  constructor(parts: ContextParts) {
    this.request = parts.request;
    this.search = parts.search;
    this.params = parts.params;
    this.requestId = parts.requestId;
    this.identity = parts.identity;
    this.audit = parts.audit;
    this.#log = parts.log;
  }

  get url(): URL {
    return this.#url ??= new URL(this.request.url);
  }

  get log(): Logger {
    return this.#ownLog ??= withFields(this.#log, { requestId: this.requestId });
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }
}
