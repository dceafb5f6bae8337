import assert from "node:assert/strict";
import { ConfigError, loadConfig } from "../lib/config.ts";
import { apiKey, keyPair, SECRET } from "./_support/credentials.ts";

type Env = Readonly<Record<string, string>>;

function auth(env: Env) {
  return loadConfig((name) => env[name], (path) => files[path] ?? assert.fail(path)).auth;
}

const files: Record<string, string> = {};

/** What is wrong, by variable. */
function problemsOf(env: Env): Record<string, string> {
  try {
    auth(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return Object.fromEntries(error.problems.map(({ variable, detail }) => [variable, detail]));
  }
  return {};
}

Deno.test("RUNNEL_AUTH names jwt, keys, both, or open alone", () => {
  const env = { RUNNEL_JWT_SECRET: SECRET };
  assert.deepEqual(auth({}).mode, "none");
  assert.deepEqual(auth({ RUNNEL_AUTH: "open" }), { mode: "open", allowOpen: false });
  assert.deepEqual(auth({ RUNNEL_AUTH: "keys" }).keys, []);
  assert.equal(auth({ ...env, RUNNEL_AUTH: "jwt" }).keys, undefined);
  const both = auth({ ...env, RUNNEL_AUTH: "jwt, keys" });
  assert.deepEqual([both.mode, both.jwt?.algorithms, both.keys], ["credentials", ["HS256"], []]);
  for (const RUNNEL_AUTH of ["open,jwt", "jwt,open", "JWT", "none", "key", "open open"]) {
    assert.match(problemsOf({ ...env, RUNNEL_AUTH })["RUNNEL_AUTH"] ?? "", /jwt, keys/);
  }
});

Deno.test("tokens need exactly one kind of key to be verified with", async () => {
  const { pem } = await keyPair("ES256");
  const sources = {
    RUNNEL_JWT_SECRET: SECRET,
    RUNNEL_JWT_PUBLIC_KEY: pem,
    RUNNEL_JWKS_URL: "https://id.example/jwks.json",
  };
  const names = Object.keys(sources);
  assert.match(problemsOf({ RUNNEL_AUTH: "jwt" })["RUNNEL_AUTH"] ?? "", /exactly one/);
  for (const [name, value] of Object.entries(sources)) {
    assert.deepEqual(problemsOf({ RUNNEL_AUTH: "jwt", [name]: value }), {});
    const other = names.find((one) => one !== name) ?? "";
    const two = { RUNNEL_AUTH: "jwt", [name]: value, [other]: Object(sources)[other] };
    assert.match(Object.values(problemsOf(two)).join(), /exactly one/);
  }
});

Deno.test("what RUNNEL_AUTH does not ask for is refused, not ignored", () => {
  for (const RUNNEL_AUTH of ["open", "keys", ""]) {
    const problems = problemsOf({ RUNNEL_AUTH, RUNNEL_JWT_SECRET: SECRET });
    assert.match(problems["RUNNEL_JWT_SECRET"] ?? "", /does not name jwt/);
  }
  const env = { RUNNEL_AUTH: "jwt", RUNNEL_JWT_SECRET: SECRET, RUNNEL_KEYS: "[]" };
  assert.match(problemsOf(env)["RUNNEL_KEYS"] ?? "", /does not name keys/);
});

Deno.test("a secret that is too short, a key of the wrong kind and a key set by plain HTTP are refused", () => {
  const jwt = { RUNNEL_AUTH: "jwt" };
  const short = problemsOf({ ...jwt, RUNNEL_JWT_SECRET: "x".repeat(31) });
  assert.match(short["RUNNEL_JWT_SECRET"] ?? "", /32 bytes/);
  for (
    const url of ["http://id.example/keys", "ftp://id.example", "keys", "http://localhost.example"]
  ) {
    const problems = problemsOf({ ...jwt, RUNNEL_JWKS_URL: url });
    assert.match(problems["RUNNEL_JWKS_URL"] ?? "", /https/, url);
  }
  const weak = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
  const problems = problemsOf({ ...jwt, RUNNEL_JWT_PUBLIC_KEY: weak });
  assert.match(problems["RUNNEL_JWT_PUBLIC_KEY"] ?? "", /P-256/);
});

Deno.test("public keys come by path, as text, and several at once; the algorithms follow from them", async () => {
  const [rsa, ed] = await Promise.all([keyPair("RS256"), keyPair("EdDSA")]);
  files["/keys.pem"] = `${rsa.pem}\n${ed.pem}`;
  const both = auth({ RUNNEL_AUTH: "jwt", RUNNEL_JWT_PUBLIC_KEY: "/keys.pem" }).jwt;
  assert.deepEqual(both?.algorithms, ["RS256", "EdDSA"]);
  const inline = ed.pem.trim().replaceAll("\n", "\\n");
  const one = auth({ RUNNEL_AUTH: "jwt", RUNNEL_JWT_PUBLIC_KEY: inline }).jwt;
  assert.deepEqual(one?.algorithms, ["EdDSA"]);
});

Deno.test("RUNNEL_JWT_ALGORITHMS narrows what goes with the keys, and adds nothing", () => {
  const env = { RUNNEL_AUTH: "jwt", RUNNEL_JWKS_URL: "https://id.example/keys" };
  const { jwt } = auth({ ...env, RUNNEL_JWT_ALGORITHMS: "ES256" });
  assert.deepEqual(jwt?.algorithms, ["ES256"]);
  for (const RUNNEL_JWT_ALGORITHMS of ["HS256", "ES256,none", "RS512", "none"]) {
    const problems = problemsOf({ ...env, RUNNEL_JWT_ALGORITHMS });
    assert.match(problems["RUNNEL_JWT_ALGORITHMS"] ?? "", /goes with the keys/);
  }
});

Deno.test("RUNNEL_KEYS takes keys as text or by path, and says what is wrong with them without showing them", () => {
  const [a, b] = [apiKey("a", { publish: ["x"] }).key, apiKey("b", {}).key];
  const keys = (list: unknown) => ({ RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify(list) });
  assert.deepEqual(auth(keys([a, b])).keys, [a, b]);
  files["/keys.json"] = JSON.stringify([a]);
  assert.deepEqual(auth({ RUNNEL_AUTH: "keys", RUNNEL_KEYS: "/keys.json" }).keys, [a]);
  const wrong: unknown[] = [
    [a, { ...b, name: "a" }],
    [a, { ...b, id: a.id }],
    [{ ...a, hash: "plain text" }],
    [{ ...a, publish: ["a b"] }],
    [{ ...a, more: 1 }],
    [a.name],
  ];
  for (const list of wrong) {
    const { RUNNEL_KEYS: detail = "" } = problemsOf(keys(list));
    assert.notEqual(detail, "", JSON.stringify(list));
    assert.doesNotMatch(detail, /plain text|sha256:[\w-]{43}/);
  }
  files["/broken.json"] = "[";
  const broken = problemsOf({ RUNNEL_AUTH: "keys", RUNNEL_KEYS: "/broken.json" });
  assert.match(broken["RUNNEL_KEYS"] ?? "", /JSON/);
});
