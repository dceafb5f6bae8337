/** A fault at one place of what was sent: a JSON pointer, or the name of a query parameter. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** What a {@link RunnelError} says beside its message. */
export interface RunnelErrorFields {
  readonly code: string;
  readonly status?: number;
  readonly retryable?: boolean;
  readonly errors?: readonly FieldError[];
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * Whatever goes wrong. `code` is one of the server's (`forbidden`, `redis_unavailable`, …) or the client's own:
 * `unreachable` (no answer, or not Runnel's), `timeout`, `no_token` (what gives the token has thrown), `bad_answer` (a refusal that is not Runnel's), `cut` (a
 * stream that ended), `silent` (a stream without heartbeats), `asleep` (a page that is put aside), `lease_lost`,
 * `invalid_data` (not what the schema says).
 */
export class RunnelError extends Error {
  override readonly name = "RunnelError";
  declare readonly code: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number = 0;
  /** Whether the same can succeed later. */
  readonly retryable: boolean = false;
  /** The fields at fault, empty where none is. */
  readonly errors: readonly FieldError[] = [];
  /** What the server's log calls the request. */
  declare readonly requestId: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number = 0;

  constructor(message: string, fields: RunnelErrorFields) {
    super(message);
    Object.assign(this, fields);
  }
}

/** An error that may be cured by trying again. */
export function passing(code: string, message: string, cause?: unknown): RunnelError {
  return new RunnelError(message, { code, retryable: true, cause });
}

/** The members of a problem document that matter here. */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly status?: number;
  readonly retryable?: boolean;
  readonly requestId?: string;
  readonly errors?: readonly FieldError[];
}

/** The error that a problem document is; where it says nothing, the status decides. */
export function errorOf(problem: Problem, status: number, headers?: Headers): RunnelError {
  const { code = "bad_answer", title = `The server answered ${status}`, detail = title } = problem;
  const { retryable = status >= 500 || status === 429 || status === 408, errors = [] } = problem;
  return new RunnelError(detail, {
    ...{ code, status, retryable, errors },
    requestId: problem.requestId ?? headers?.get("x-request-id") ?? undefined,
    // it may be a date, which is not worth reading
    retryAfterMs: Number(headers?.get("retry-after")) * 1000 || 0,
  });
}
