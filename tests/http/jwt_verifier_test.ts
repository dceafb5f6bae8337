import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { exportJWK, UnsecuredJWT } from "jose";
import { RunnelError } from "../../lib/errors.ts";
import type { Identity } from "../../lib/http/identity.ts";
import { type JwtSettings, JwtVerifier } from "../../lib/http/jwt_verifier.ts";
import { keyPair, SECRET, token, type TokenOptions } from "../_support/credentials.ts";

const BY_SECRET: JwtSettings = { source: { secret: SECRET }, algorithms: ["HS256"] };
const GRANTS = { publish: ["orders.**"] };

async function refusalOf(text: string, settings: JwtSettings = BY_SECRET): Promise<RunnelError> {
  try {
    await new JwtVerifier(settings).identify(text);
  } catch (error) {
    assert.ok(error instanceof RunnelError, String(error));
    return error;
  }
  return assert.fail("the token was taken");
}

async function identify(text: string, settings: JwtSettings = BY_SECRET): Promise<Identity> {
  return await new JwtVerifier(settings).identify(text);
}

Deno.test("identify() reads who a token is of, what it grants and when it ends", async () => {
  const identity = await identify(await token(GRANTS, { sub: "ann", claims: { exp: 4e9 } }));
  assert.equal(identity.name, "jwt:ann");
  assert.equal(identity.expiresAt, 4e12);
  assert.equal(identity.may("publish", "orders.eu"), true);
  assert.equal(identity.may("publish", "orders.*"), true);
  assert.equal(identity.may("publish", "other"), false);
  assert.equal(identity.may("subscribe", "orders.eu"), false);
  assert.equal(identity.may("manage", "orders.eu"), false);
});

Deno.test("identify() grants nothing to a token without the claim runnel", async () => {
  const identity = await identify(await token({}, { claims: { runnel: undefined } }));
  for (const action of ["publish", "subscribe", "consume", "manage"] as const) {
    assert.equal(identity.may(action, "a"), false);
  }
});

for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
  Deno.test(`identify() takes ${algorithm} tokens of a public key, and of no other`, async () => {
    const [own, other] = await Promise.all([keyPair(algorithm), keyPair(algorithm)]);
    const settings: JwtSettings = {
      source: { publicKeys: [own.pem] },
      algorithms: [algorithm],
    };
    const header = { alg: algorithm };
    const good = await token(GRANTS, { key: own.privateKey, header });
    assert.equal((await identify(good, settings)).name, "jwt:somebody");
    const bad = await token(GRANTS, { key: other.privateKey, header });
    assert.equal((await refusalOf(bad, settings)).code, "invalid_token");
  });
}

Deno.test("identify() takes what any of several public keys has signed, so that keys can be changed", async () => {
  const pairs = await Promise.all([keyPair("RS256"), keyPair("EdDSA"), keyPair("ES256")]);
  const settings: JwtSettings = {
    source: { publicKeys: pairs.map(({ pem }) => pem) },
    algorithms: ["RS256", "EdDSA", "ES256"],
  };
  const algorithms = ["RS256", "EdDSA", "ES256"];
  for (const [i, { privateKey }] of pairs.entries()) {
    const text = await token(GRANTS, { key: privateKey, header: { alg: algorithms[i] ?? "" } });
    assert.equal((await identify(text, settings)).name, "jwt:somebody");
  }
});

Deno.test("identify() refuses a token that is signed with the text of the public key as a secret", async () => {
  const { pem } = await keyPair("RS256");
  const text = await token(GRANTS, { key: new TextEncoder().encode(pem) });
  const settings: JwtSettings = { source: { publicKeys: [pem] }, algorithms: ["RS256"] };
  assert.equal((await refusalOf(text, settings)).code, "invalid_token");
  // nor where somebody had allowed it
  const careless: JwtSettings = { ...settings, algorithms: ["RS256", "HS256"] };
  assert.equal((await refusalOf(text, careless)).code, "invalid_token");
});

Deno.test("identify() refuses an unsigned token, however it calls its algorithm", async () => {
  const unsecured = new UnsecuredJWT({ exp: 4e9, runnel: GRANTS }).encode();
  assert.equal((await refusalOf(unsecured)).code, "invalid_token");
  const [, payload] = unsecured.split(".");
  for (const alg of ["none", "None", "NONE", "nOnE", "", "HS256"]) {
    const header = btoa(JSON.stringify({ alg })).replaceAll("=", "");
    for (const signature of ["", "AAAA"]) {
      const text = `${header}.${payload}.${signature}`;
      assert.equal((await refusalOf(text)).code, "invalid_token", text);
    }
  }
});

Deno.test("identify() refuses an algorithm that is not on the list, though the key would do", async () => {
  const text = await token(GRANTS, { header: { alg: "HS512" } });
  assert.equal((await refusalOf(text)).code, "invalid_token");
});

const now = () => Math.floor(Date.now() / 1000);
const STRICT: JwtSettings = { ...BY_SECRET, issuer: "https://id.example", audience: "runnel" };
const GOOD_CLAIMS = { iss: "https://id.example", aud: ["other", "runnel"], nbf: now() - 10 };

const BROKEN: Readonly<Record<string, TokenOptions>> = {
  "no exp": { claims: { exp: undefined } },
  "exp in the past": { claims: { exp: now() - 6 } },
  "exp that is no number": { claims: { exp: "never" } },
  "exp that is endless": { claims: { exp: 1e400 } },
  "nbf in the future": { claims: { nbf: now() + 60 } },
  "nbf that is no number": { claims: { nbf: "now" } },
  "no iss": { claims: { iss: undefined } },
  "another iss": { claims: { iss: "https://evil.example" } },
  "an iss that only begins so": { claims: { iss: "https://id.example.evil" } },
  "no aud": { claims: { aud: undefined } },
  "another aud": { claims: { aud: "other" } },
  "an aud that is an object": { claims: { aud: { runnel: true } } },
  "a sub that is a number": { claims: { sub: 7 } },
  "grants that are text": { claims: { runnel: "publish" } },
  "grants that are a list": { claims: { runnel: ["publish"] } },
  "patterns that are text": { claims: { runnel: { publish: "**" } } },
  "a pattern that is no text": { claims: { runnel: { publish: [1] } } },
  "a pattern with white space": { claims: { runnel: { publish: ["a b"] } } },
  "an empty pattern": { claims: { runnel: { subscribe: [""] } } },
  "more patterns than are taken": { claims: { runnel: { consume: Array(201).fill("a") } } },
  "manage that is text": { claims: { runnel: { manage: "true" } } },
  "a grant that is not known": { claims: { runnel: { delete: ["**"] } } },
  "another secret": { key: new TextEncoder().encode("another secret of thirty-two bytes!") },
  "a critical header that is not known": { header: { crit: ["x"], x: 1 } },
};

for (const [what, options] of Object.entries(BROKEN)) {
  Deno.test(`identify() refuses a token with ${what}`, async () => {
    const claims = { ...GOOD_CLAIMS, ...options.claims };
    assert.equal(
      (await identify(await token(GRANTS, { claims: GOOD_CLAIMS }), STRICT)).name,
      "jwt:somebody",
    );
    let text: string;
    try {
      text = await token(GRANTS, { ...options, claims });
    } catch {
      // the library that makes tokens refuses some already: written by hand
      text = await forged({ sub: "somebody", exp: now() + 60, runnel: GRANTS, ...claims }, options);
    }
    assert.equal((await refusalOf(text, STRICT)).code, "invalid_token");
  });
}

async function forged(claims: unknown, { header = {} }: TokenOptions): Promise<string> {
  const encode = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const signed = `${encode({ alg: "HS256", ...header })}.${encode(claims)}`;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(SECRET),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = new Uint8Array(
    await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed)),
  );
  const signature = btoa(String.fromCharCode(...mac)).replaceAll("=", "").replaceAll("+", "-")
    .replaceAll("/", "_");
  return `${signed}.${signature}`;
}

Deno.test("identify() refuses a token of which any one character was changed", async () => {
  const text = await token(GRANTS, { claims: GOOD_CLAIMS });
  const verifier = new JwtVerifier(STRICT);
  await verifier.identify(text);
  // the last character of a part may hold bits that mean nothing
  const ends = new Set([text.indexOf(".") - 1, text.lastIndexOf(".") - 1, text.length - 1]);
  for (let i = 0; i < text.length; i++) {
    if (ends.has(i)) continue;
    const changed = text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
    await assert.rejects(
      async () => await verifier.identify(changed),
      (error: unknown) => error instanceof RunnelError && error.code === "invalid_token",
      `changed at ${i}`,
    );
  }
});

Deno.test("identify() refuses what is no token", async () => {
  for (const text of ["", "a", "a.b.c", "..", "rnk", "{}", "a".repeat(100_000)]) {
    assert.equal((await refusalOf(text)).code, "invalid_token");
  }
});

Deno.test("identify() tolerates clocks that are a few seconds off", async () => {
  const claims = { exp: now() - 2, nbf: now() + 3 };
  assert.equal((await identify(await token(GRANTS, { claims }))).name, "jwt:somebody");
});

Deno.test("identify() refuses a token for an audience where the server is not told which it is", async () => {
  const text = await token(GRANTS, { claims: { aud: "somebody-else" } });
  assert.match((await refusalOf(text)).message, /audience/);
});

Deno.test("identify() puts the subject in the place of {sub}, and lets none out of its place", async () => {
  const subjects: [sub: string, topic: string][] = [
    ["7", "users.7.x"],
    ["ann@example.com", "users.ann@example%2Ecom.x"],
    ["*", "users.%2A.x"],
    ["a.b", "users.a%2Eb.x"],
    ["a,b", "users.a%2Cb.x"],
    ["a b", "users.a%20b.x"],
    ["{sub}", "users.%7Bsub%7D.x"],
    ["a/../b", "users.a%2F%2E%2E%2Fb.x"],
    ["100%", "users.100%25.x"],
    ["größe", "users.größe.x"],
    ["$&", "users.%24&.x"],
  ];
  for (const [sub, topic] of subjects) {
    const identity = await identify(await token({ subscribe: ["users.{sub}.**"] }, { sub }));
    assert.equal(identity.may("subscribe", topic), true, topic);
    assert.equal(identity.may("subscribe", "users.**"), false);
    assert.equal(identity.may("subscribe", "users.8.x"), false);
    assert.equal(identity.may("subscribe", "users.a.b"), false);
  }
});

Deno.test("identify() refuses {sub} in a token that has no subject, or one that cannot be a topic", async () => {
  for (const sub of [undefined, "", "\ud800", "x".repeat(600)]) {
    const text = await token({ publish: ["users.{sub}"] }, { claims: { sub } });
    assert.equal((await refusalOf(text)).code, "invalid_token");
  }
});

/** A server of a key set, of which a test decides what it answers. */
function serveKeys(answer: () => Response | Promise<Response>) {
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    requests++;
    return answer();
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/keys`,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function keySet(pair: { publicKey: CryptoKey }, kid: string, alg: string): Promise<string> {
  return JSON.stringify({ keys: [{ ...await exportJWK(pair.publicKey), kid, alg, use: "sig" }] });
}

function bySet(jwksUrl: string): JwtSettings {
  return { source: { jwksUrl }, algorithms: ["RS256", "ES256", "EdDSA"] };
}

Deno.test("identify() fetches a key set once for many tokens", async () => {
  const pair = await keyPair("ES256");
  const json = await keySet(pair, "one", "ES256");
  await using keys = serveKeys(() => new Response(json));
  const verifier = new JwtVerifier(bySet(keys.url));
  for (let i = 0; i < 5; i++) {
    const text = await token(GRANTS, {
      sub: `${i}`,
      key: pair.privateKey,
      header: { alg: "ES256", kid: "one" },
    });
    assert.equal((await verifier.identify(text)).name, `jwt:${i}`);
  }
  assert.equal(keys.requests, 1);
});

Deno.test("identify() takes no symmetric key from a key set, and refuses a kid that is not in it", async () => {
  const pair = await keyPair("RS256");
  const k = btoa(SECRET).replaceAll("=", "");
  const known = JSON.parse(await keySet(pair, "one", "RS256")).keys;
  const json = JSON.stringify({ keys: [...known, { kty: "oct", k, kid: "oct", alg: "HS256" }] });
  await using keys = serveKeys(() => new Response(json));
  const settings = bySet(keys.url);
  const symmetric = await token(GRANTS, { header: { alg: "HS256", kid: "oct" } });
  assert.equal((await refusalOf(symmetric, settings)).code, "invalid_token");
  const unknown = await token(GRANTS, {
    key: pair.privateKey,
    header: { alg: "RS256", kid: "two" },
  });
  assert.equal((await refusalOf(unknown, settings)).code, "invalid_token");
});

Deno.test("identify() says 503 and not 401 where the key set cannot be had, is too large or no key set", async () => {
  const answers: (() => Response)[] = [
    () => new Response("no", { status: 500 }),
    () => new Response("not json"),
    () => new Response("[]"),
    () => new Response(`{"keys":[],"padding":"${"x".repeat(300_000)}"}`),
    () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
  ];
  const text = await token(GRANTS, {
    key: (await keyPair("ES256")).privateKey,
    header: { alg: "ES256", kid: "one" },
  });
  for (const answer of answers) {
    await using keys = serveKeys(answer);
    assert.equal((await refusalOf(text, bySet(keys.url))).code, "jwks_unavailable");
  }
  assert.equal((await refusalOf(text, bySet("http://127.0.0.1:1/keys"))).code, "jwks_unavailable");
});

Deno.test("identify() follows a key set that changes, and forgets a key that left it", async () => {
  using clock = fakeClock();
  const [first, second] = await Promise.all([keyPair("ES256"), keyPair("ES256")]);
  let json = await keySet(first, "one", "ES256");
  await using keys = serveKeys(() => new Response(json));
  const verifier = new JwtVerifier(bySet(keys.url));
  const ofFirst = await token(GRANTS, {
    ...{ key: first.privateKey, header: { alg: "ES256", kid: "one" }, endsIn: 86_400 },
  });
  const ofSecond = await token(GRANTS, {
    ...{ key: second.privateKey, header: { alg: "ES256", kid: "two" }, endsIn: 86_400 },
  });
  assert.equal((await verifier.identify(ofFirst)).name, "jwt:somebody");
  json = await keySet(second, "two", "ES256");
  clock.tick(31_000);
  assert.equal((await verifier.identify(ofSecond)).name, "jwt:somebody");
  clock.tick(600_000);
  await assert.rejects(async () => await verifier.identify(ofFirst), { code: "invalid_token" });
});

/** Time that stands still but for what a test says; timers go on. */
function fakeClock() {
  const clock = FakeTimers.install({ toFake: ["Date"], now: Date.now() });
  return {
    tick: (ms: number) => clock.setSystemTime(Date.now() + ms),
    [Symbol.dispose]: () => clock.uninstall(),
  };
}

Deno.test("identify() forgets the oldest of long tokens, so that they take no more than some memory", async () => {
  const verifier = new JwtVerifier(BY_SECRET);
  const tokens: string[] = [];
  // 16 million characters are remembered
  for (let i = 0; i < 1_200; i++) {
    tokens.push(await token({}, { sub: `${i}`, claims: { long: "x".repeat(11_000) } }));
    await verifier.identify(tokens[i] ?? "");
  }
  const isKnown = (token = "") => !(verifier.identify(token) instanceof Promise);
  assert.equal(isKnown(tokens.at(-1)), true);
  assert.equal(isKnown(tokens.at(-1_000)), true);
  assert.equal(isKnown(tokens[0]), false);
  await verifier.identify(tokens[0] ?? "");
});
