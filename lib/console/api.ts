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

/** Calls Runnel's HTTP API, with the credential of whoever signed in. */
export class Api {
  /** An API key or a token; undefined where none is needed. */
  token: string | undefined;

  /** @param base where the functions are, with a slash at the end */
  constructor(readonly base: URL) {}

  /**
   * Sends a request and reads the JSON of its answer; undefined where that has no body.
   *
   * @throws {ApiError} for a refusal, and where there is no answer
   */
  async call<T>(
    method: string,
    path: string,
    { json, signal }: { readonly json?: unknown; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const response = await fetch(new URL(path, this.base), {
      method,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(json === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    }).catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      throw new ApiError(0, "unreachable", "The server does not answer");
    });
    const text = await response.text();
    const body = text === "" ? undefined : JSON.parse(text);
    if (response.ok) return body;
    throw new ApiError(
      response.status,
      body?.code ?? "unknown",
      body?.detail ?? response.statusText,
      body?.errors ?? [],
    );
  }
}
