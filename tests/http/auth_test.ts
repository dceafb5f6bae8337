import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import {
  authenticate,
  authorize,
  type AuthPolicy,
  EVERYBODY,
  NOBODY,
} from "../../lib/http/auth.ts";

function refusal(policy: AuthPolicy): string | undefined {
  try {
    authenticate(policy);
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "auth_not_configured");
    return error.message;
  }
  return undefined;
}

Deno.test("authenticate() refuses everybody where no authentication is configured", () => {
  for (const allowOpen of [true, false]) {
    assert.match(refusal({ mode: "none", allowOpen, loopback: true }) ?? "", /RUNNEL_AUTH/);
  }
});

Deno.test("authenticate() lets everybody in in open mode, on loopback or where that was acknowledged", () => {
  assert.equal(refusal({ mode: "open", allowOpen: false, loopback: true }), undefined);
  assert.equal(refusal({ mode: "open", allowOpen: true, loopback: false }), undefined);
});

Deno.test("authenticate() refuses open mode off loopback, naming what acknowledges it", () => {
  const detail = refusal({ mode: "open", allowOpen: false, loopback: false });
  assert.match(detail ?? "", /RUNNEL_ALLOW_OPEN/);
});

Deno.test("authorize() refuses what the identity may not do", () => {
  assert.doesNotThrow(() => authorize(EVERYBODY, "manage", "a"));
  assert.throws(
    () => authorize(NOBODY, "publish", "a"),
    (error: unknown) => error instanceof RunnelError && error.code === "forbidden",
  );
});
