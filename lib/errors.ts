/** What a client sees of an error code: HTTP status, whether trying again can help, a short public title. */
export interface ErrorKind {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

/** Every error code Runnel answers with. The code is part of the HTTP API: add, never rename. */
export const ERRORS = {
  invalid_request: kind(400, false, "The request is not valid"),
  invalid_json: kind(400, false, "The body is not valid JSON"),
  invalid_topic: kind(400, false, "The topic is not valid"),
  invalid_cursor: kind(400, false, "The start position is not valid"),
  invalid_group: kind(400, false, "The group is not valid"),
  too_many_topics: kind(400, false, "The subscription names too many topics"),
  unauthenticated: kind(401, false, "A credential is needed"),
  invalid_token: kind(401, false, "The credential is not accepted"),
  forbidden: kind(403, false, "Not allowed"),
  origin_not_allowed: kind(403, false, "The request's Origin is not allowed"),
  host_not_allowed: kind(403, false, "The request's Host is not allowed"),
  not_found: kind(404, false, "Not found"),
  method_not_allowed: kind(405, false, "The method is not allowed here"),
  not_acceptable: kind(406, false, "None of the accepted types can be produced"),
  upload_timeout: kind(408, true, "The upload stalled"),
  batch_aborted: kind(409, false, "Another message of the atomic batch could not be stored"),
  idempotency_conflict: kind(409, false, "The idempotency key was used with another payload"),
  stale_attempt: kind(409, false, "A later attempt of this consumer has been made"),
  group_deleting: kind(409, true, "The group is being deleted"),
  requester_gone: kind(410, false, "Nobody waits for this reply any more"),
  payload_too_large: kind(413, false, "The body is too large"),
  unsupported_media_type: kind(415, false, "The content type is not supported"),
  rate_limited: kind(429, true, "Too much in too short a time"),
  too_many_streams: kind(429, true, "Too many streams are open"),
  too_many_requests: kind(429, true, "Too many requests are open"),
  client_closed: kind(499, true, "The client went away"),
  internal: kind(500, false, "Internal error"),
  wrong_type: kind(500, false, "A foreign key stands where the topic is stored"),
  auth_not_configured: kind(503, false, "Authentication is not configured"),
  not_configured: kind(503, false, "The server's configuration is not valid"),
  jwks_unavailable: kind(503, true, "The keys that tokens are verified with cannot be had"),
  redis_unavailable: kind(503, true, "Redis cannot be reached"),
  redis_timeout: kind(503, true, "Redis does not answer"),
  redis_tls: kind(503, false, "The TLS link to Redis cannot be set up"),
  redis_auth: kind(503, false, "Redis refused the credentials"),
  redis_forbidden: kind(503, false, "Redis refused a command or key"),
  redis_readonly: kind(503, true, "Redis is read-only"),
  redis_out_of_memory: kind(503, true, "Redis is out of memory"),
  redis_loading: kind(503, true, "Redis is loading its data"),
  redis_error: kind(503, true, "Redis refused the command"),
  feed_silent: kind(503, true, "Messages are stored, but not delivered as they come"),
  outcome_unknown: kind(503, true, "It is not known whether the message was stored"),
  not_replicated: kind(503, true, "The message is stored, but not yet replicated"),
  stale_primary: kind(503, true, "This Redis is behind what was already seen"),
  primary_unconfirmed: kind(503, true, "The Sentinels do not stand by this Redis as the primary"),
  stale_commit: kind(503, true, "The commit was superseded"),
  partition_closed: kind(503, true, "The topic's partition is being moved"),
  partition_split: kind(503, true, "The topic's partition is being split"),
  overloaded: kind(503, true, "Too much is waiting to be stored"),
  shutting_down: kind(503, true, "The server is shutting down"),
  groups_changed: kind(503, true, "The groups changed meanwhile"),
  groups_unadopted: kind(503, true, "A topic is not known to all groups yet"),
  no_reply: kind(504, true, "No reply came in time"),
  topic_full: kind(507, true, "The topic is full of work that is not done"),
} as const satisfies Record<string, ErrorKind>;

function kind(status: number, retryable: boolean, title: string): ErrorKind {
  return { status, retryable, title };
}

/** One of the codes in {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** A fault at one place of the input: a JSON pointer (`#` for the root, `#/field`) or a query parameter's name. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** Options of a {@link RunnelError}. */
export interface RunnelErrorOptions {
  /** The fields at fault. @default [] */
  readonly errors?: readonly FieldError[];
  /** Further members of the problem document. @default {} */
  readonly members?: Readonly<Record<string, unknown>>;
  /** What caused it; logged, never sent to a client. */
  readonly cause?: unknown;
  /** What the audit log says beside the code, such as the topic; never sent to a client. @default {} */
  readonly audit?: Readonly<Record<string, unknown>>;
  /** Headers of the answer, such as `retry-after`. @default {} */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An error that a client may see: its code comes from {@link ERRORS}, its message is the public detail.
 * Whatever else is thrown is answered as `internal` without its text.
 */
export class RunnelError extends Error {
  override readonly name = "RunnelError";
  /** The fields at fault, empty where none is. */
  readonly errors: readonly FieldError[];
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;
  /** What the audit log says beside the code. */
  readonly audit: Readonly<Record<string, unknown>>;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    /** The code, which decides status and retryability. */
    readonly code: ErrorCode,
    detail: string = ERRORS[code].title,
    options: RunnelErrorOptions = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.errors = options.errors ?? [];
    this.members = options.members ?? {};
    this.audit = options.audit ?? {};
    this.headers = options.headers ?? {};
  }

  /** The HTTP status that answers it. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  /** Whether the same request can succeed later. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}
