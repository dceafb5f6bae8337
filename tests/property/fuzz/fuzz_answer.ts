/** What came back, and what is wrong with it. */
import { ERRORS } from "../../../lib/errors.ts";
import { PROBLEM_TYPE } from "../../../lib/http/problem.ts";
import type { WireRequest } from "./fuzz_request.ts";

/** An answer as far as it was read. */
export interface FuzzAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where nobody read it. */
  readonly text: string | undefined;
  /** Whether the text is all there was to read. */
  readonly whole: boolean;
  /** Whether what was sent differs from what the request says. @default false */
  readonly mangled?: boolean;
}

/**
 * What is right from time to time: on a busy machine there may be more ahead of a request than can be done within the two
 * seconds after which Runnel gives up. How often is for the caller to judge.
 */
const BUSY = ["redis_timeout", "feed_silent", "overloaded", "outcome_unknown"];
const VALID_ID = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * What is wrong with an answer, whatever was asked; undefined where nothing is.
 *
 * @param allows codes of problems beyond 500 that are right here
 */
export function faultOf(
  wire: WireRequest,
  { status, headers, text, whole, mangled = false }: FuzzAnswer,
  allows: readonly string[],
): string | undefined {
  const requestId = headers.get("x-request-id");
  if (requestId === null) return "it has no x-request-id";
  const own = wire.headers.filter(([name]) => name.toLowerCase() === "x-request-id");
  const only = own.length === 1 ? own[0]?.[1] : undefined;
  if (!mangled && only !== undefined && VALID_ID.test(only) && requestId !== only) {
    return "it has another x-request-id than its caller gave";
  }
  // inside results and streams too
  if (/"code":"(internal|wrong_type|redis_error)"/.test(text ?? "")) {
    return "it tells of an internal error";
  }
  if (status < 200 || status === 500) return `its status is ${status}`;
  const hasBody = wire.method !== "HEAD";
  if (status >= 400) {
    const body = hasBody ? text : undefined;
    return faultOfProblem({ status, headers, body, requestId, allows });
  }
  return whole && hasBody ? faultOfText(headers.get("content-type"), text ?? "") : undefined;
}

/** A problem document is to have what programs go by. */
function faultOfProblem(
  { status, headers, body, requestId, allows }: {
    status: number;
    headers: Headers;
    body: string | undefined;
    requestId: string;
    allows: readonly string[];
  },
): string | undefined {
  if (headers.get("content-type") !== PROBLEM_TYPE) return "it is no problem document";
  if (body === undefined) return undefined;
  const problem = parse(body);
  if (problem === undefined) return "its problem document is no JSON";
  const { code } = problem;
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code)) return "its code is not known";
  if (problem.status !== status) return "its problem document has another status";
  if (problem.requestId !== requestId) return "its problem document has another requestId";
  for (const name of ["type", "title", "detail"]) {
    if (typeof problem[name] !== "string") return `its problem document has no ${name}`;
  }
  return status > 500 && ![...allows, ...BUSY].includes(code)
    ? `a ${status} ${code} is not right here`
    : undefined;
}

function faultOfText(contentType: string | null, text: string): string | undefined {
  if (contentType === "application/json") {
    return parse(text) === undefined ? "its JSON is none" : undefined;
  }
  if (contentType !== "application/x-ndjson") return undefined;
  const lines = text.split("\n");
  if (lines.pop() !== "") return "its last line has no end";
  return lines.every((line) => parse(line) !== undefined) ? undefined : "a line of it is no JSON";
}

/** The value, as far as it has fields; undefined for text that is no JSON. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}
