import { errorOf, type Problem, RunnelError } from "./runnel_error.ts";

/** A token or API key, or what gives one; it is asked before each request, so that a token may be renewed in time. */
export type TokenSource = string | (() => string | Promise<string>);

/** Query parameters, in order; a name may come several times. */
export type Query = readonly (readonly [name: string, value: string])[];

/** One request. */
export interface Call {
  /** @default "POST" with a body, else "GET" */
  readonly method?: string;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Gives up after this many milliseconds. @default 30000 */
  readonly timeoutMs?: number;
}

/** Options of {@link Transport}. */
export interface TransportOptions {
  /** Where the server is; whatever stands before `/publish`. */
  readonly url: string | URL;
  /** @default none */
  readonly token?: TokenSource | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  /** Whether cookies go with requests to another origin (`include`); for sessions that a ticket opened. @default the browser's */
  readonly credentials?: RequestCredentials | undefined;
}

/** Sends requests with the credential, and turns what is not a success into a {@link RunnelError}. */
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
  address(path: string, query: Query = []): string {
    const search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString();
    return `${this.base}/${path}${search && "?"}${search}`;
  }

  /**
   * Sends a request, and resolves to a response that says success.
   *
   * @throws {RunnelError} when there is no answer, or one that says no.
   * @throws the signal's reason, when it aborts.
   */
  async open(path: string, { query, json, signal, method, headers }: Call): Promise<Response> {
    signal?.throwIfAborted();
    const { token, credentials } = this;
    const shown = typeof token === "function" ? await token() : token;
    let response: Response;
    try {
      response = await this.#fetch(this.address(path, query), {
        method: method ?? (json === undefined ? "GET" : "POST"),
        headers: {
          ...(shown ? { authorization: `Bearer ${shown}` } : {}),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(credentials && { credentials }),
        signal: signal ?? null,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(this.base, cause);
    }
    if (response.ok) return response;
    throw errorOf(await readProblem(response), response.status, response.headers);
  }

  /**
   * Sends a request, and resolves to the JSON of its answer; undefined where it has none.
   *
   * @throws {RunnelError} as {@link open} does; `timeout` when it takes too long.
   */
  async call(path: string, { signal, timeoutMs = 30_000, ...call }: Call = {}): Promise<unknown> {
    const control = new AbortController();
    const abort = () => control.abort(signal?.reason);
    const timer = setTimeout(() => {
      const text = `No answer in ${timeoutMs} ms`;
      control.abort(new RunnelError(text, { code: "timeout", retryable: true }));
    }, timeoutMs);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      const response = await this.open(path, { ...call, signal: control.signal });
      const text = await response.text();
      return text === "" ? undefined : JSON.parse(text);
    } catch (error) {
      control.signal.throwIfAborted();
      if (error instanceof RunnelError) throw error;
      throw error instanceof SyntaxError
        ? new RunnelError("The answer is not JSON", { code: "bad_answer", cause: error })
        : unreachable(this.base, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

function unreachable(base: string, cause: unknown): RunnelError {
  return new RunnelError(`Cannot reach ${base}`, { code: "unreachable", retryable: true, cause });
}

/** The problem document of a response; empty where something else than Runnel answered. */
async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  try {
    const problem = JSON.parse(text);
    return typeof problem === "object" && problem !== null ? problem : {};
  } catch {
    return {};
  }
}
