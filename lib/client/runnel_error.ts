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
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Whatever goes wrong. `code` is one of the server's (`forbidden`, `redis_unavailable`, …) or the client's own:
 * `unreachable` (no answer), `timeout`, `silent` (a stream without heartbeats), `bad_answer` (not Runnel's), `cut` (a stream
 * that ended), `invalid_data` (not what the schema says), `closed` (the client was closed).
 */
export class RunnelError extends Error {
  override readonly name = "RunnelError";
  readonly code: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Whether the same can succeed later. */
  readonly retryable: boolean;
  /** The fields at fault, empty where none is. */
  readonly errors: readonly FieldError[];
  /** What the server's log calls the request. */
  readonly requestId: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, fields: RunnelErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status ?? 0;
    this.retryable = fields.retryable ?? false;
    this.errors = fields.errors ?? [];
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
  }
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
  const seconds = Number(headers?.get("retry-after") || NaN);
  return new RunnelError(problem.detail ?? problem.title ?? `The server answered ${status}`, {
    code: problem.code ?? "bad_answer",
    status,
    retryable: problem.retryable ?? (status >= 500 || status === 429 || status === 408),
    errors: problem.errors ?? [],
    requestId: problem.requestId ?? headers?.get("x-request-id") ?? undefined,
    retryAfterMs: seconds >= 0 ? seconds * 1000 : undefined,
  });
}
