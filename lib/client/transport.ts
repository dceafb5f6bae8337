import { errorOf, passing, type Problem } from "./runnel_error.ts";
import { onAbort } from "./wait.ts";

/** A token or API key, or what gives one; it is asked before each request, so that a token may be renewed in time. */
export type TokenSource = string | (() => string | Promise<string>);

/** Query parameters; those that are undefined are left out, and a list is one that comes several times. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined | readonly string[]>
>;

/** One request. */
export interface Call {
  /** @default "POST" with a body, else "GET" */
  readonly method?: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Gives up after this many milliseconds. @default 30000 */
  readonly timeoutMs?: number;
}

/** Options of {@link Transport}. */
export interface TransportOptions {
  /** Where the server is, such as `https://runnel.example`; whatever stands before `/publish`. */
  readonly url: string | URL;
  /** A token or API key, or what gives one. @default none */
  readonly token?: TokenSource | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  /** `include` sends cookies to another origin too, for a session that a ticket has opened. @default the browser's */
  readonly credentials?: RequestCredentials | undefined;
}

/** Sends requests with the credential, and turns what is not a success into a `RunnelError`. */
export class Transport {
  /** Where the server is, without a closing slash. */
  readonly base: string;
  readonly token: TokenSource | undefined;
  readonly credentials: RequestCredentials | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, token, fetch: given, credentials }: TransportOptions) {
    this.base = String(url).replace(/\/+$/, "");
    this.token = token;
    this.credentials = credentials;
    // called as a method of something else, a browser's fetch refuses
    this.#fetch = given ?? ((...args) => fetch(...args));
  }

  /** The address of a path with its query. */
  address(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) search.append(name, `${one}`);
    }
    return `${this.base}/${path}?${search}`;
  }

  /**
   * Sends a request, and resolves to a response that says success.
   *
   * @throws {RunnelError} when there is no answer, or one that says no.
   * @throws the signal's reason, when it aborts.
   */
  async open(path: string, { query, json, signal, method, headers }: Call): Promise<Response> {
    signal?.throwIfAborted();
    const token = await this.#credential();
    const { credentials } = this;
    const body = json === undefined ? undefined : JSON.stringify(json);
    const response = await this.#fetch(this.address(path, query), {
      method: method ?? (body ? "POST" : "GET"),
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { "content-type": "application/json" }),
        ...headers,
      },
      ...{ body: body ?? null, signal: signal ?? null },
      ...(credentials && { credentials }),
    }).catch((cause) => this.#fail(cause, signal));
    if (response.ok) return response;
    // something else than Runnel may have answered
    const problem: Problem | null = await response.json().catch(() => null);
    throw errorOf(problem ?? {}, response.status, response.headers);
  }

  /**
   * Sends a request, and resolves to the JSON of its answer; undefined where it has none.
   *
   * @throws {RunnelError} as {@link open} does; `timeout` when it takes too long.
   */
  async call(
    path: string,
    { signal: given, timeoutMs = 30_000, ...call }: Call = {},
  ): Promise<unknown> {
    const control = new AbortController();
    const { signal } = control;
    const forget = onAbort(given, () => control.abort(given?.reason));
    const timer = setTimeout(
      () => control.abort(passing("timeout", `No answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const response = await this.open(path, { ...call, signal });
      if (response.status === 204) return undefined;
      return await response.json().catch((cause) => this.#fail(cause, signal));
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  // who answers with something else than JSON is not Runnel
  #fail(cause: unknown, signal: AbortSignal | undefined): never {
    signal?.throwIfAborted();
    throw passing("unreachable", `Cannot reach ${this.base}`, cause);
  }

  // where a page's own backend cannot be reached, it may be later
  async #credential(): Promise<string | undefined> {
    const { token } = this;
    try {
      return typeof token === "function" ? await token() : token;
    } catch (cause) {
      throw passing("no_token", "Cannot get a token", cause);
    }
  }
}
