import assert from "node:assert/strict";
import { decodeJwt, jwtVerify, SignJWT } from "jose";
import { RunnelError } from "../../lib/errors.ts";
import { GrantedIdentity, type Identity } from "../../lib/http/identity.ts";
import { cookieOf, TicketOffice } from "../../lib/http/ticket_office.ts";

const GRANTS = { subscribe: ["orders.**"] };
const WANTED = { grants: GRANTS, ttlMs: 30_000 };
const ANN = new GrantedIdentity({ name: "jwt:ann", grants: GRANTS });

interface Stage {
  readonly office: TicketOffice;
  /** Takes the key behind tickets back. */
  revoke(): void;
}

function open({ secret = "the deployment's secret" } = {}): Stage {
  const spent = new Set<string>();
  let revoked = false;
  const office = new TicketOffice({
    store: {
      secret: () => Promise.resolve(secret),
      spend: (id) => Promise.resolve(!spent.has(id) && Boolean(spent.add(id))),
    },
    holderOf: (keyRef): Promise<Identity> =>
      revoked
        ? Promise.reject(new RunnelError("invalid_token"))
        : Promise.resolve(new GrantedIdentity({ name: "key:a", grants: GRANTS, keyRef })),
  });
  return { office, revoke: () => revoked = true };
}

const REFUSED = { code: "invalid_token" };

Deno.test("redeem() takes a ticket once, for what it was issued for", async () => {
  const { office } = open();
  const { ticket } = await office.issue(ANN, WANTED);
  const { identity } = await office.redeem(ticket);
  assert.equal(identity.name, "jwt:ann");
  assert.equal(identity.may("subscribe", "orders.eu"), true);
  assert.equal(identity.may("publish", "orders.eu"), false);
  await assert.rejects(office.redeem(ticket), REFUSED);
});

Deno.test("redeem() lets one of many take a ticket that is used at the same time", async () => {
  const { office } = open();
  const { ticket } = await office.issue(ANN, WANTED);
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => office.redeem(ticket)));
  assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
});

Deno.test("resume() takes the cookie of a ticket again and again, with no more than the ticket gave", async () => {
  const { office } = open();
  const { ticket } = await office.issue(ANN, WANTED);
  const { session } = await office.redeem(ticket);
  assert.equal(session.cookie, cookieOf(ticket));
  for (let i = 0; i < 3; i++) {
    const identity = await office.resume(session);
    assert.deepEqual(identity.grants, GRANTS);
    assert.equal(identity.isTicket, true);
  }
});

Deno.test("a ticket is no cookie, a cookie is no ticket, and neither is signed for another deployment", async () => {
  const { office } = open();
  const { ticket } = await office.issue(ANN, WANTED);
  await assert.rejects(office.resume({ cookie: cookieOf(ticket) ?? "", value: ticket }), REFUSED);
  const { session } = await office.redeem(ticket);
  await assert.rejects(office.redeem(session.value), REFUSED);
  const other = open({ secret: "another deployment's secret" }).office;
  await assert.rejects(other.resume(session), REFUSED);
});

Deno.test("redeem() refuses what somebody has signed with the deployment's secret for something else", async () => {
  const { office } = open();
  const { ticket } = await office.issue(ANN, WANTED);
  const key = new TextEncoder().encode("the deployment's secret");
  await assert.rejects(jwtVerify(ticket, key));
  const forged = await new SignJWT(decodeJwt(ticket))
    .setProtectedHeader({ alg: "HS256", typ: "rn-ticket" }).sign(key);
  await assert.rejects(office.redeem(forged), REFUSED);
});

Deno.test("a ticket and its cookie end with the credential that they were given for", async () => {
  const { office } = open();
  const endsAt = Date.now() + 5_000;
  const identity = new GrantedIdentity({ name: "jwt:ann", grants: GRANTS, expiresAt: endsAt });
  const { ticket, expiresAt } = await office.issue(identity, WANTED);
  assert.equal(expiresAt, endsAt);
  const { identity: holder, session } = await office.redeem(ticket);
  assert.equal(holder.expiresAt, endsAt);
  assert.equal(session.expiresAt, endsAt);
  assert.equal(Math.round((await office.resume(session)).expiresAt ?? 0), endsAt);
});

Deno.test("a ticket and its cookie are of no use when the key is revoked that they were given for", async () => {
  const { office, revoke } = open();
  const holder = new GrantedIdentity({ name: "key:a", grants: GRANTS, keyRef: "id.hash" });
  const { ticket } = await office.issue(holder, WANTED);
  const { session } = await office.redeem((await office.issue(holder, WANTED)).ticket);
  revoke();
  await assert.rejects(office.redeem(ticket), REFUSED);
  await assert.rejects(office.resume(session), REFUSED);
});

Deno.test("resume() refuses another ticket's cookie in the place of one", async () => {
  const { office } = open();
  const sessions = await Promise.all(
    [1, 2].map(async () => (await office.redeem((await office.issue(ANN, WANTED)).ticket)).session),
  );
  const [own, other] = sessions;
  assert.ok(own !== undefined && other !== undefined);
  await assert.rejects(office.resume({ cookie: own.cookie, value: other.value }), REFUSED);
});

Deno.test("issue() refuses more patterns than fit into a cookie", async () => {
  const { office } = open();
  const grants = { subscribe: Array.from({ length: 100 }, (_, i) => `a-long-topic-name-${i}.**`) };
  await assert.rejects(office.issue(ANN, { grants, ttlMs: 30_000 }), { code: "invalid_request" });
});

Deno.test("cookieOf() finds no cookie in what is no ticket", () => {
  for (
    const text of ["", "a", "a.b.c", "a.e30.c", `a.${btoa('{"jti":"../../x"}')}.c`, "..", "💥"]
  ) {
    assert.equal(cookieOf(text), undefined, text);
  }
});
