import assert from "node:assert/strict";
import { type Certificates, makeCertificates } from "../../../lib/cli/topology/certificates.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../../lib/cli/topology/topology.ts";
import { issueDated } from "../../_support/dated_certificate.ts";
import { examined, failuresOf, textsOf } from "./examined.ts";

let secure: Topology;
let plain: Topology;
let foreign: Certificates;

Deno.test.beforeAll(async () => {
  foreign = await makeCertificates();
  [secure, plain] = await Promise.all([
    startTopology("sentinel", { tls: true, password: "data", sentinelPassword: "watch" }),
    startTopology("sentinel"),
  ]);
});
Deno.test.afterAll(async () => {
  await Promise.all([secure, plain, foreign].map((one) => one[Symbol.asyncDispose]()));
});

/** The only failure there is with these changes of the environment of the TLS set. */
async function failure(changes: Record<string, string | undefined>): Promise<string> {
  const failures = await failuresOf({ ...secure.env, ...changes });
  assert.equal(failures.length, 1, failures.join("\n"));
  return failures[0] ?? "";
}

/** Where the Sentinels are, as REDIS_URL names them. */
function sentinels({ env }: Topology): string {
  return env.REDIS_URL.split("/")[2]?.replaceAll(",", ", ") ?? "";
}

const NO_SENTINEL_MATERIAL = {
  REDIS_SENTINEL_TLS_CA: undefined,
  REDIS_SENTINEL_TLS_CERT: undefined,
  REDIS_SENTINEL_TLS_KEY: undefined,
};

Deno.test("a TLS set with passwords has nothing against it", async () => {
  assert.deepEqual(textsOf(await examined(secure.env), "failure"), []);
});

Deno.test("a Sentinel's link that fails is told by its cause and the Sentinels' variable", async (t) => {
  await t.step("another authority", async () => {
    const text = await failure({ REDIS_SENTINEL_TLS_CA: foreign.ca.certPath });
    assert.match(text, /^The Sentinels at /);
    assert.ok(text.includes(sentinels(secure)), text);
    assert.match(text, /not signed by the authority .*→ .*into REDIS_SENTINEL_TLS_CA$/);
  });
  await t.step("an expired certificate", async () => {
    const server = await issueDated(foreign, { fromDay: -3, toDay: -1 });
    await using expired = await startRedis({ tls: { certificates: { ...foreign, server } } });
    const text = await failure({
      REDIS_URL: `rediss+sentinel://127.0.0.1:${expired.port}/runnel`,
      REDIS_SENTINEL_TLS_CA: foreign.ca.certPath,
    });
    assert.match(text, /^The Sentinel.* its certificate expired on .*→ Renew it there/);
  });
  await t.step("another name", async () => {
    const text = await failure({ REDIS_SENTINEL_TLS_SERVERNAME: "other.example" });
    assert.match(text, /not for other\.example → .*REDIS_SENTINEL_TLS_SERVERNAME/);
  });
  await t.step("no client certificate", async () => {
    const { REDIS_SENTINEL_TLS_CA } = secure.env;
    const text = await failure({ ...NO_SENTINEL_MATERIAL, REDIS_SENTINEL_TLS_CA });
    assert.match(text, /client certificate.*→ Set REDIS_SENTINEL_TLS_CERT and .*_TLS_KEY/);
  });
  await t.step("a client certificate of another authority", async () => {
    const text = await failure({
      REDIS_SENTINEL_TLS_CERT: foreign.client.certPath,
      REDIS_SENTINEL_TLS_KEY: foreign.client.keyPath,
    });
    assert.match(text, /does not accept our client certificate → REDIS_SENTINEL_TLS_CERT/);
  });
  await t.step("plain TCP to a TLS port", async () => {
    const text = await failure({ ...NO_SENTINEL_MATERIAL, REDIS_SENTINEL_TLS: "0" });
    assert.match(text, /Sentinels .* it speaks TLS, .*→ Set REDIS_SENTINEL_TLS=1/);
  });
  await t.step("TLS to a plain port", async () => {
    const env = { ...plain.env, REDIS_SENTINEL_TLS: "1" };
    assert.match((await failuresOf(env)).join(), /speaks no TLS.*→ Set REDIS_SENTINEL_TLS=0/);
  });
  await t.step("with the material of Redis it is that variable", async () => {
    const text = await failure({ ...NO_SENTINEL_MATERIAL, REDIS_TLS_CA: foreign.ca.certPath });
    assert.match(text, /^The Sentinels .*→ .*into REDIS_TLS_CA$/);
  });
  await t.step("another password", async () => {
    const text = await failure({ REDIS_SENTINEL_PASSWORD: "hidden" });
    assert.match(text, /refuses the user name or password → .*REDIS_SENTINEL_PASSWORD/);
    assert.ok(!text.includes("hidden"));
  });
});

Deno.test("the primary's link that fails is told by its cause and Redis's own variable", async (t) => {
  await t.step("another authority", async () => {
    const text = await failure({ REDIS_TLS_CA: foreign.ca.certPath });
    assert.match(text, /^The primary that the Sentinels name .*→ .*into REDIS_TLS_CA$/);
  });
  await t.step("no client certificate", async () => {
    const text = await failure({ REDIS_TLS_CERT: undefined, REDIS_TLS_KEY: undefined });
    assert.match(text, /^The primary .*→ Set REDIS_TLS_CERT and REDIS_TLS_KEY/);
  });
  await t.step("plain TCP to a TLS port", async () => {
    const REDIS_URL = secure.env.REDIS_URL.replace("rediss+", "redis+");
    const material = {
      REDIS_TLS_CA: undefined,
      REDIS_TLS_CERT: undefined,
      REDIS_TLS_KEY: undefined,
    };
    const text = await failure({ ...material, REDIS_URL, REDIS_SENTINEL_TLS: "1" });
    assert.match(text, /^The primary .* speaks TLS, .*→ Write rediss\+sentinel:\/\/ in place of/);
    assert.match(text, /REDIS_SENTINEL_TLS=1/);
  });
  await t.step("TLS to a plain port", async () => {
    const REDIS_URL = plain.env.REDIS_URL.replace("redis+", "rediss+");
    const text = (await failuresOf({ REDIS_URL, REDIS_SENTINEL_TLS: "0" })).join();
    assert.match(text, /^The primary .* no TLS, .*→ Write redis\+sentinel:\/\/ in place of/);
    assert.match(text, /REDIS_SENTINEL_TLS=0/);
  });
});
