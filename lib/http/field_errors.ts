import type { z } from "zod";
import { type ErrorCode, type FieldError, RunnelError } from "../errors.ts";

/** As many faults as one answer lists; a batch of a million wrong messages must not be answered with a million. */
const MAX_ERRORS = 50;

/**
 * The value as its schema describes it.
 *
 * @throws {RunnelError} `invalid_request` with a JSON pointer for each fault, 50 at most.
 */
export function checkShape<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidFields(fieldErrors(result.error.issues));
}

/** An error about fields, whose detail says what is wrong with the first. */
export function invalidFields(
  errors: readonly FieldError[],
  code: ErrorCode = "invalid_request",
): RunnelError {
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail = first === undefined ? undefined : `${first.pointer}: ${first.detail}${more}`;
  return new RunnelError(code, detail, { errors });
}

/** Zod's issues as faults with JSON pointers: one for each key that is not known, and of a union the nearest branch. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  return issues.flatMap((issue) => expand(issue, [])).slice(0, MAX_ERRORS);
}

/** A JSON pointer (RFC 6901) as a URI fragment: `#` is the root, `#/a/0` the first item of `a`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return ["#", ...path.map(escapeSegment)].join("/");
}

function expand(issue: z.core.$ZodIssue, base: readonly PropertyKey[]): FieldError[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: jsonPointer([...path, key]), detail: "Not known" }));
  }
  if (issue.code === "invalid_union") {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => expand(inner, path));
  }
  return [{ pointer: jsonPointer(path), detail: issue.message }];
}

/** The branch that got furthest into the value is the one that was meant; none where all failed at its root. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  let nearest: z.core.$ZodIssue[] | undefined;
  let depth = 0;
  for (const branch of branches) {
    const reached = Math.max(0, ...branch.map(depthOf));
    if (reached > depth) [nearest, depth] = [branch, reached];
  }
  return nearest;
}

function depthOf(issue: z.core.$ZodIssue): number {
  return issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0);
}

function escapeSegment(segment: PropertyKey): string {
  const text = String(segment).replaceAll("~", "~0").replaceAll("/", "~1");
  return encodeURIComponent(text.toWellFormed());
}
