import assert from "node:assert/strict";
import { type ErrorCode, ERRORS, RunnelError } from "../../lib/errors.ts";
import { problemOf, problemResponse } from "../../lib/http/problem.ts";

Deno.test("problemOf() says all that a client may know, and not the cause", () => {
  const errors = [{ pointer: "#/topic", detail: "Is empty" }];
  const error = new RunnelError("invalid_topic", "The topic is empty", { errors, cause: "secret" });
  assert.deepEqual(problemOf(error, "r1"), {
    type: "urn:runnel:problem:invalid_topic",
    title: "The topic is not valid",
    status: 400,
    detail: "The topic is empty",
    code: "invalid_topic",
    retryable: false,
    errors,
    requestId: "r1",
  });
});

Deno.test("problemOf() has the error's further members, which stand for no other", () => {
  const members = { replies: [1], status: 200 };
  const problem = problemOf(new RunnelError("no_reply", undefined, { members }));
  assert.deepEqual([problem.status, "replies" in problem && problem.replies], [504, [1]]);
});

Deno.test("problemOf() leaves out errors and request id where there are none", () => {
  const problem = problemOf(new RunnelError("internal"));
  assert(!("errors" in problem) && !("requestId" in problem));
});

Deno.test("problemResponse() answers every code with its status as a problem document", async () => {
  for (const [code, kind] of Object.entries(ERRORS)) {
    // Object.entries forgets the keys' type.
    const response = problemResponse(new RunnelError(code as ErrorCode), { requestId: "r" });
    assert.equal(response.status, kind.status);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).code, code);
  }
});

Deno.test("problemResponse() asks for a retry where the server may recover, and only there", () => {
  const retryAfter = (code: ErrorCode) =>
    problemResponse(new RunnelError(code), { requestId: "r" }).headers.get("retry-after");
  assert.equal(retryAfter("redis_unavailable"), "1");
  assert.equal(retryAfter("redis_auth"), null);
  assert.equal(retryAfter("invalid_request"), null);
});
