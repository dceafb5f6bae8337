import { ERRORS, type FieldError, type RunnelError } from "../errors.ts";

/** The media type of a problem document (RFC 9457). */
export const PROBLEM_TYPE = "application/problem+json";

/** A problem document as it is sent; an error may have further members. */
export interface Problem {
  /** `urn:runnel:problem:<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The error's code, which programs go by. */
  readonly code: string;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;
  /** The fields at fault; absent where none is. */
  readonly errors?: readonly FieldError[];
  /** Also the `x-request-id` header; absent inside a stream of results. */
  readonly requestId?: string;
}

/** Options of {@link problemResponse}. */
export interface ProblemResponseOptions {
  readonly requestId: string;
  /** Headers beside the content type, such as `allow`. @default {} */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The problem document of an error; within a stream of results it goes without a request id. */
export function problemOf(error: RunnelError, requestId?: string): Problem {
  const { code, errors, members } = error;
  const { status, title, retryable } = ERRORS[code];
  return {
    ...members,
    type: `urn:runnel:problem:${code}`,
    title,
    status,
    detail: error.message,
    code,
    retryable,
    ...(errors.length === 0 ? {} : { errors }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** Answers with an error's problem document; with `retry-after: 1` where a retry can help a failed server, and
 * `www-authenticate` where a credential is wanted. */
export function problemResponse(error: RunnelError, options: ProblemResponseOptions): Response {
  const { requestId, headers = {} } = options;
  const retry = error.retryable && error.status === 503 ? { "retry-after": "1" } : {};
  const challenge = error.status === 401 ? { "www-authenticate": challengeOf(error) } : {};
  return new Response(JSON.stringify(problemOf(error, requestId)), {
    status: error.status,
    headers: { "content-type": PROBLEM_TYPE, ...retry, ...challenge, ...error.headers, ...headers },
  });
}

/** What RFC 6750 says to whoever has no good token. */
function challengeOf({ code }: RunnelError): string {
  return code === "invalid_token"
    ? 'Bearer realm="runnel", error="invalid_token"'
    : 'Bearer realm="runnel"';
}
