/** What `deno task start` and `deno task doctor` print, as processes, where a link cannot be had. */
import assert from "node:assert/strict";
import { type Certificates, makeCertificates } from "../../lib/cli/topology/certificates.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { issueDated } from "../_support/dated_certificate.ts";
import { startServer } from "../_support/server.ts";
import { taskFlags } from "../_support/task_flags.ts";
import { until } from "../_support/until.ts";
import { runCli } from "./run_cli.ts";

let certificates: Certificates;
let foreign: Certificates;
let redis: RedisServer;
let plain: RedisServer;
let expired: RedisServer;

Deno.test.beforeAll(async () => {
  [certificates, foreign] = await Promise.all([makeCertificates(), makeCertificates()]);
  const server = await issueDated(certificates, { fromDay: -3, toDay: -1 });
  [redis, plain, expired] = await Promise.all([
    startRedis({ tls: { certificates, clientAuth: true } }),
    startRedis(),
    startRedis({ tls: { certificates: { ...certificates, server }, clientAuth: true } }),
  ]);
});
Deno.test.afterAll(async () => {
  const all = [redis, plain, expired, certificates, foreign];
  await Promise.all(all.map((one) => one[Symbol.asyncDispose]()));
});

type Env = Readonly<Record<string, string>>;

/** A good environment for the TLS Redis. */
function good(): Env {
  const { ca, client } = certificates;
  return {
    REDIS_URL: redis.url,
    REDIS_TLS_CA: ca.certPath,
    REDIS_TLS_CERT: client.certPath,
    REDIS_TLS_KEY: client.keyPath,
  };
}

/** Both say the same: the cause, and below it what to do. */
async function assertSaid(env: Env, expected: RegExp): Promise<void> {
  const [doctor] = await Promise.all([
    runCli(["doctor"], { env: { RUNNEL_URL: `http://127.0.0.1:${freePort()}`, ...env } }),
    assertStartSays(env, expected),
  ]);
  assert.equal(doctor.code, 1, doctor.stdout);
  assert.match(doctor.stdout, new RegExp(`FAIL  [^\\n]*${expected.source}`, expected.flags));
}

async function assertStartSays(env: Env, expected: RegExp): Promise<void> {
  await using server = await startServer({ env });
  let stderr = "";
  await until(async () => expected.test(stderr = (await server.output()).stderr), {
    timeoutMs: 15_000,
    everyMs: 50,
    what: "the reason",
  }).catch((error) => assert.fail(`${error}\n${stderr}`));
  // it lives on, since Redis may be put right
  const response = await fetch(`${server.url}/health/live`);
  await response.body?.cancel();
  assert.equal(response.status, 200);
}

Deno.test("start and doctor name the cause of a TLS link that fails, and the variable", async (t) => {
  const { REDIS_TLS_CERT: _, REDIS_TLS_KEY: __, ...uncertified } = good();
  const cases: [what: string, env: Env, expected: RegExp][] = [
    [
      "another authority",
      { ...good(), REDIS_TLS_CA: foreign.ca.certPath },
      /not signed by the authority that REDIS_TLS_CA holds.*\n +→ .* into REDIS_TLS_CA/,
    ],
    [
      "an expired certificate",
      { ...good(), REDIS_URL: expired.url },
      /its certificate expired on .*\n +→ Renew it there.*REDIS_TLS_CA/,
    ],
    [
      "another name",
      { ...good(), REDIS_TLS_SERVERNAME: "other.example" },
      /not for other\.example\n +→ .* REDIS_TLS_SERVERNAME/,
    ],
    [
      "no client certificate",
      uncertified,
      /asks for a client certificate.*\n +→ Set REDIS_TLS_CERT and REDIS_TLS_KEY/,
    ],
    [
      "TLS to a plain port",
      { ...good(), REDIS_URL: plain.url.replace("redis:", "rediss:") },
      /speaks no TLS.*\n +→ Write redis:\/\/ in place of rediss:\/\/ in REDIS_URL/,
    ],
    [
      "plain TCP to a TLS port",
      { REDIS_URL: redis.url.replace("rediss:", "redis:") },
      /it speaks TLS.*\n +→ Write rediss:\/\/ in place of redis:\/\/ in REDIS_URL/,
    ],
  ];
  for (const [what, env, expected] of cases) {
    await t.step(what, () => assertSaid(env, expected));
  }
});

Deno.test("start and doctor name the Sentinels' variable where it is their link", async () => {
  await using set = await startTopology("sentinel", { tls: true });
  const env = { ...set.env, REDIS_SENTINEL_TLS_CA: foreign.ca.certPath };
  await assertSaid(env, /The Sentinels at .*not signed by .*\n +→ .* into REDIS_SENTINEL_TLS_CA/);
});

Deno.test("start and doctor name the cause where a Cluster's nodes cannot be reached", async () => {
  await using cluster = await startTopology("cluster", { tls: true });
  const { REDIS_TLS_CERT: _, REDIS_TLS_KEY: __, ...env } = cluster.env;
  await assertSaid(env, /The nodes at .* client certificate.*\n +→ Set REDIS_TLS_CERT and/);
});

Deno.test("start names the server where one of several is set up wrongly", async () => {
  await using bad = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
  const expected = new RegExp(`^${bad.url}/0: maxmemory-policy is allkeys-lru.*\n +→ `, "m");
  await assertStartSays({ REDIS_URL: `${plain.url} ${bad.url}` }, expected);
});

Deno.test("doctor --json prints each finding as one line", async () => {
  const env = { REDIS_URL: redis.url, RUNNEL_URL: `http://127.0.0.1:${freePort()}` };
  const { code, stdout } = await runCli(["doctor", "--json"], { env });
  assert.equal(code, 1);
  const findings = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const failure = findings.find(({ level }) => level === "failure");
  assert.equal(failure.where, `${redis.url}/0`);
  assert.match(failure.text, /does not know the authority/);
  assert.match(failure.advice, /REDIS_TLS_CA/);
});

Deno.test("a function that stands alone logs the cause of what it answers with 503, once", async () => {
  const cases: [env: Env, cause: RegExp][] = [
    [{ ...good(), REDIS_TLS_CA: foreign.ca.certPath }, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/],
    [{ REDIS_URL: redis.url.replace("rediss:", "redis:") }, /EPIPE|ECONNRESET|closed/],
  ];
  for (const [env, cause] of cases) {
    await using server = await startServer({
      file: "functions/publish.ts",
      denoArgs: [...taskFlags("serve"), "--allow-read"],
      env: { ...env, RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
    });
    const publish = async () => {
      const response = await fetch(`${server.url}/publish/a`, { method: "POST", body: "x" });
      return [response.status, await response.text()] as const;
    };
    for (const _ of [1, 2, 3]) {
      const [status, text] = await publish();
      assert.equal(status, 503);
      assert.doesNotMatch(text, cause);
    }
    const lines = (await server.output()).stderr.split("\n")
      .filter((line) => line.includes("Redis cannot be used"));
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(JSON.stringify(JSON.parse(lines[0] ?? "").error.cause), cause);
  }
});
