import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { Gate, type GatePolicy } from "../../lib/http/gate.ts";
import { authorize, EVERYBODY, NOBODY } from "../../lib/http/identity.ts";

const NOTHING = { authorization: null, ticket: undefined, cookie: null };

async function refusal(policy: GatePolicy): Promise<string | undefined> {
  try {
    await new Gate(policy).admit(NOTHING);
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "auth_not_configured");
    return error.message;
  }
  return undefined;
}

Deno.test("admit() refuses everybody where no authentication is configured", async () => {
  for (const allowOpen of [true, false]) {
    const detail = await refusal({ mode: "none", allowOpen, loopback: true });
    assert.match(detail ?? "", /RUNNEL_AUTH/);
  }
});

Deno.test("admit() lets everybody in in open mode, on loopback or where that was acknowledged", async () => {
  assert.equal(await refusal({ mode: "open", allowOpen: false, loopback: true }), undefined);
  assert.equal(await refusal({ mode: "open", allowOpen: true, loopback: false }), undefined);
});

Deno.test("admit() refuses open mode off loopback, naming what acknowledges it", async () => {
  const detail = await refusal({ mode: "open", allowOpen: false, loopback: false });
  assert.match(detail ?? "", /RUNNEL_ALLOW_OPEN/);
});

Deno.test("authorize() refuses what the identity may not do", () => {
  assert.doesNotThrow(() => authorize(EVERYBODY, "manage", "a"));
  assert.throws(
    () => authorize(NOBODY, "publish", "a"),
    (error: unknown) => error instanceof RunnelError && error.code === "forbidden",
  );
});

Deno.test("authorize() refuses a credential that has ended, or was taken back, since it let the request in", () => {
  const refusal = { code: "invalid_token" };
  const end = new AbortController();
  const ended = { ...EVERYBODY, expiresAt: Date.now() - 6_000 };
  const revoked = { ...EVERYBODY, revoked: end.signal };
  assert.throws(() => authorize(ended, "publish", "a"), refusal);
  assert.doesNotThrow(() => authorize(revoked, "publish", "a"));
  end.abort();
  assert.throws(() => authorize(revoked, "publish", "a"), refusal);
});
