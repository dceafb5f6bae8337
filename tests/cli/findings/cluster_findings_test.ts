import assert from "node:assert/strict";
import { type Certificates, makeCertificates } from "../../../lib/cli/topology/certificates.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../../lib/cli/topology/topology.ts";
import { issueDated } from "../../_support/dated_certificate.ts";
import { until } from "../../_support/until.ts";
import { examined, failuresOf, textsOf } from "./examined.ts";

let secure: Topology;
let foreign: Certificates;

Deno.test.beforeAll(async () => {
  foreign = await makeCertificates();
  secure = await startTopology("cluster", { tls: true, password: "data" });
});
Deno.test.afterAll(async () => {
  await Promise.all([secure, foreign].map((one) => one[Symbol.asyncDispose]()));
});

const NO_MATERIAL = {
  REDIS_TLS_CA: undefined,
  REDIS_TLS_CERT: undefined,
  REDIS_TLS_KEY: undefined,
};

/** The only failure there is with these changes of the environment of the TLS Cluster. */
async function failure(changes: Record<string, string | undefined>): Promise<string> {
  const failures = await failuresOf({ ...secure.env, ...changes });
  assert.equal(failures.length, 1, failures.join("\n"));
  return failures[0] ?? "";
}

Deno.test("a TLS Cluster with a password has nothing against it, and every primary is tried", async () => {
  const findings = await examined(secure.env);
  assert.deepEqual(textsOf(findings, "failure"), []);
  const ok = textsOf(findings, "ok");
  assert.ok(ok.includes("cluster_state is ok"));
  assert.ok(ok.includes("All 16384 slots are served"));
  assert.equal(ok.filter((text) => text.startsWith("A message gets through Redis")).length, 3);
  for (const warning of textsOf(findings, "warning")) assert.match(warning, /^min-replicas-to-/);
});

Deno.test("a node's link that fails is told by its cause and the variable", async (t) => {
  await t.step("another authority", async () => {
    const text = await failure({ REDIS_TLS_CA: foreign.ca.certPath });
    assert.match(text, /^The nodes at .* not signed by the authority .*→ .*into REDIS_TLS_CA$/);
  });
  await t.step("an expired certificate", async () => {
    const server = await issueDated(foreign, { fromDay: -3, toDay: -1 });
    await using expired = await startRedis({ tls: { certificates: { ...foreign, server } } });
    const text = await failure({
      REDIS_URL: `rediss+cluster://127.0.0.1:${expired.port}`,
      REDIS_TLS_CA: foreign.ca.certPath,
    });
    assert.match(text, /^The node.* its certificate expired on .*→ Renew it there/);
  });
  await t.step("another name", async () => {
    const text = await failure({ REDIS_TLS_SERVERNAME: "other.example" });
    assert.match(text, /not for other\.example → .*REDIS_TLS_SERVERNAME/);
  });
  await t.step("no client certificate", async () => {
    const text = await failure({ REDIS_TLS_CERT: undefined, REDIS_TLS_KEY: undefined });
    assert.match(text, /asks for a client certificate.*→ Set REDIS_TLS_CERT and REDIS_TLS_KEY/);
  });
  await t.step("plain TCP to a TLS port", async () => {
    const REDIS_URL = secure.env.REDIS_URL.replace("rediss+", "redis+");
    const text = await failure({ ...NO_MATERIAL, REDIS_URL });
    assert.match(text, /it speaks TLS, .*→ Write rediss\+cluster:\/\/ in place of redis\+cluster/);
  });
});

Deno.test("doctor looks at the whole of a Cluster", async (t) => {
  await using topology = await startTopology("cluster");
  const { env, servers } = topology;
  const [first, ...others] = servers.map(({ server }) => server);
  assert.ok(first);
  await t.step("TLS to a plain port", async () => {
    const text = await failuresOf({ REDIS_URL: env.REDIS_URL.replace("redis+", "rediss+") });
    assert.match(text.join(), /speaks no TLS.*→ Write redis\+cluster:\/\/ in place of rediss\+cl/);
  });
  await t.step("one node as if it were alone", async () => {
    const text = await failuresOf({ REDIS_URL: `redis://127.0.0.1:${first.port}` });
    const advice = `→ Write redis+cluster://127.0.0.1:${first.port} in REDIS_URL`;
    assert.match(text[0] ?? "", /It is a node of a Cluster/);
    assert.ok(text[0]?.includes(advice), text[0]);
  });
  await t.step("a single Redis as if it were a node", async () => {
    await using alone = await startRedis({ appendonly: false });
    const text = await failuresOf({ REDIS_URL: `redis+cluster://127.0.0.1:${alone.port}` });
    assert.match(text.join(), /no node of a Cluster → Write redis:\/\/ in REDIS_URL/);
  });
  await t.step("one seed that is away", async () => {
    await using gone = await startRedis();
    await gone.kill9();
    const REDIS_URL = `redis+cluster://127.0.0.1:${gone.port},127.0.0.1:${first.port}`;
    const findings = await examined({ REDIS_URL });
    assert.deepEqual(textsOf(findings, "failure"), []);
    const through = textsOf(findings, "ok")
      .filter((text) => text.startsWith("A message gets through"));
    assert.equal(through.length, 3);
    assert.match(
      textsOf(findings, "warning").join("\n"),
      new RegExp(`The node at 127.0.0.1:${gone.port} cannot be used: nothing listens there`),
    );
  });
  await t.step("settings of a primary that no seed is", async () => {
    const other = others[0];
    await other?.cli("CONFIG", "SET", "appendonly", "no");
    const findings = await examined({ REDIS_URL: `redis+cluster://127.0.0.1:${first.port}` });
    const bad = findings.filter(({ level }) => level === "failure");
    assert.equal(bad.length, 1);
    assert.match(bad[0]?.text ?? "", /^appendonly is no/);
    assert.equal(bad[0]?.where, `redis://127.0.0.1:${other?.port}/0`);
    await other?.cli("CONFIG", "SET", "appendonly", "yes");
  });
  await t.step("a user that may not read cluster_state", async () => {
    const rules = ["on", ">secret", "~{rn:*", "&{rn:*", "+@all", "-cluster|info"];
    for (const server of [first, ...others]) await server.cli("ACL", "SETUSER", "narrow", ...rules);
    const narrow = { REDIS_USERNAME: "narrow", REDIS_PASSWORD: "secret" };
    const findings = await examined({ ...env, ...narrow });
    assert.deepEqual(textsOf(findings, "failure"), []);
    assert.match(textsOf(findings, "note").join(), /cluster_state cannot be read.*cluster\|info/);
    assert.ok(textsOf(findings, "ok").includes("All 16384 slots are served"));
  });
  await t.step("a primary without a replica", async () => {
    await others.at(-1)?.kill9();
    const warnings = await until(async () => {
      const found = textsOf(await examined(env), "warning");
      return found.some((text) => /no replica that is there/.test(text)) && found;
    });
    assert.equal(warnings.filter((text) => /min-replicas-to-write is 0/.test(text)).length, 2);
  });
  await t.step("slots that nobody has", async () => {
    for (const server of [first, ...others.slice(0, -1)]) {
      await server.cli("CLUSTER", "DELSLOTS", "7").catch(() => {});
    }
    const failures = await failuresOf(env);
    assert.match(failures.join("\n"), /1 of 16384 slots are not served.*→ .*--cluster fix/);
  });
  await t.step("a Cluster that takes no commands", async () => {
    await first.cli("CONFIG", "SET", "cluster-require-full-coverage", "yes");
    const failures = await until(async () => {
      const found = await failuresOf(env);
      return found.some((text) => text.startsWith("cluster_state is fail")) && found;
    });
    assert.match(failures.join("\n"), new RegExp(`is fail, says 127.0.0.1:${first.port} → `));
  });
});
