import { ServerClock } from "./server_clock.ts";
import { Store } from "./store.ts";

/** A refusal, as its problem document says it (RFC 9457). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** HTTP status; 0 where there was no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** Which fields are at fault. */
    readonly errors: readonly { readonly pointer: string; readonly detail: string }[] = [],
  ) {
    super(message);
  }
}

/** Options of {@link Api.call}. */
export interface CallOptions {
  /** What is sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** Options of {@link Api.text}. */
export interface TextOptions {
  /** JSON that is sent as it is. */
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Calls Runnel's HTTP API, with the credential of whoever signed in. */
export class Api {
  /** An API key or a token; undefined where none is needed. */
  token: string | undefined;
  /** The server's time, as its answers tell it. */
  readonly clock: ServerClock = new ServerClock();
  /** When it answered last, by the browser's clock, in milliseconds since 1970; undefined before that. */
  readonly heardAt: Store<number | undefined> = new Store<number | undefined>(undefined);
  /** Why the server lets in nobody: no authentication is configured; undefined where it does, or did not say. */
  readonly unconfigured: Store<string | undefined> = new Store<string | undefined>(undefined);
  /** Called when an answer says that a credential is wanted, or another one. */
  onUnauthorized: (error: ApiError) => void = () => {};

  /** @param base where the functions are, with a slash at the end */
  constructor(readonly base: URL) {}

  /**
   * Sends a request and reads the JSON of its answer; undefined where that has no body.
   *
   * @throws {ApiError} for a refusal, and where there is no answer
   */
  async call<T>(method: string, path: string, { json, signal }: CallOptions = {}): Promise<T> {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    return read(await this.text(method, path, { ...body, ...(signal && { signal }) }));
  }

  /**
   * Like {@link call}, with JSON as it was written: reading it changes numbers beyond 2^53.
   *
   * @throws {ApiError} for a refusal, and where there is no answer
   */
  async text(method: string, path: string, { body, signal }: TextOptions = {}): Promise<string> {
    const { token } = this;
    const sent = Date.now();
    const response = await fetch(new URL(path, this.base), {
      method,
      ...(signal === undefined ? {} : { signal }),
      // an answer that is kept tells nothing of the server
      cache: "no-store",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
    }).catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      throw new ApiError(0, "unreachable", "The server does not answer");
    });
    this.#hear(response, sent);
    const text = await response.text();
    if (response.ok) {
      if (!isOpenToAll(path)) this.unconfigured.value = undefined;
      return text;
    }
    const problem = read(text);
    const error = new ApiError(
      response.status,
      problem?.code ?? "unknown",
      problem?.detail ?? `${response.status} ${response.statusText}`.trim(),
      problem?.errors ?? [],
    );
    if (!isOpenToAll(path)) {
      this.unconfigured.value = error.code === "auth_not_configured" ? error.message : undefined;
    }
    // whoever signed in anew meanwhile is not signed out by an answer to what was sent before
    if (error.status === 401 && token === this.token) this.onUnauthorized(error);
    throw error;
  }

  #hear(response: Response, sent: number): void {
    const received = Date.now();
    this.heardAt.value = received;
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) this.clock.hear({ sent, received, date });
  }
}

/** What is answered to everybody tells nothing of the authentication. */
function isOpenToAll(path: string): boolean {
  return path.startsWith("health/");
}

/** A proxy between may answer with a page. */
function read(text: string) {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
