import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { EVERYBODY } from "../../lib/http/identity.ts";
import { leftOf, whileHeld } from "../../lib/http/while_held.ts";

function waiting(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(new RunnelError("client_closed")));
  return promise;
}

Deno.test("whileHeld() ends what waits when the credential is taken back, and says so", async () => {
  const revoked = new AbortController(), client = new AbortController();
  const identity = { ...EVERYBODY, revoked: revoked.signal };
  const work = whileHeld({ identity, signal: client.signal }, waiting);
  revoked.abort();
  await assert.rejects(work, { code: "invalid_token" });
});

Deno.test("whileHeld() ends what waits when the client leaves, and hands on what it fails with", async () => {
  const client = new AbortController();
  const identity = { ...EVERYBODY, revoked: new AbortController().signal };
  const work = whileHeld({ identity, signal: client.signal }, waiting);
  client.abort();
  await assert.rejects(work, { code: "client_closed" });
  const context = { identity: EVERYBODY, signal: new AbortController().signal };
  assert.equal(await whileHeld(context, () => Promise.resolve(7)), 7);
  await assert.rejects(whileHeld(context, () => Promise.reject(new TypeError("x"))), TypeError);
});

Deno.test("leftOf() gives what is wanted, or what is left of the credential", () => {
  const { signal } = new AbortController();
  const left = (expiresAt: number | undefined, ms: number) =>
    leftOf(
      { identity: expiresAt === undefined ? EVERYBODY : { ...EVERYBODY, expiresAt }, signal },
      ms,
    );
  assert.equal(left(undefined, 5_000), 5_000);
  assert.equal(left(Date.now() + 60_000, 5_000), 5_000);
  assert.equal(left(Date.now() - 1, 5_000), 0);
  const some = left(Date.now() + 1_000, 5_000);
  assert.ok(some > 0 && some <= 1_000 && Number.isInteger(some), `${some}`);
});
