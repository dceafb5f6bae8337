import assert from "node:assert/strict";
import {
  sentinelFindings,
  transportFindings,
} from "../../../lib/cli/findings/sentinel_findings.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../../lib/cli/topology/topology.ts";
import type { SentinelReport } from "../../../lib/redis/sentinel_inspection.ts";
import { redisOptionsOf } from "../../_support/partition.ts";
import { until } from "../../_support/until.ts";
import { examined, failuresOf, textsOf } from "./examined.ts";

const GOOD: SentinelReport = {
  primary: { host: "10.0.0.1", port: 6379 },
  epoch: 3,
  isDown: false,
  isReplaced: false,
  replicas: 2,
  sentinels: 3,
  quorum: 2,
  electorate: { value: "OK 3 usable Sentinels" },
};

/** What is not ok where three Sentinels say this; changes are of the first of them. */
function complaints(changes: Partial<SentinelReport>, named = 3): string[] {
  const seen = [{ ...GOOD, ...changes }, GOOD, GOOD].map((view, i) => ({
    endpoint: { host: `s${i + 1}`, port: 26379 },
    view,
  }));
  const findings = sentinelFindings(seen, { master: "main", named });
  assert.deepEqual(textsOf(findings, "note"), []);
  return ["failure", "warning"].flatMap((level) =>
    textsOf(findings, level as "failure" | "warning").map((text) => `${level}: ${text}`)
  );
}

Deno.test("sentinelFindings() says what would keep a failover from happening", async (t) => {
  const cases: [what: string, change: Partial<SentinelReport>, expected: RegExp][] = [
    [
      "two primaries",
      { primary: { host: "10.0.0.2", port: 6379 } },
      /^warning: .*not agree.*10\.0\.0\.2:6379 \(s1:26379\), 10\.0\.0\.1:6379 \(s2:26379, s3/,
    ],
    ["a primary that is down", { isDown: true }, /^failure: The primary is down, says s1:26379/],
    ["a quorum of all", { quorum: 3 }, /^warning: The quorum is 3 of 3: a majority alone \(2\)/],
    [
      "Sentinels that are away",
      { electorate: { refused: "NOQUORUM 1 usable Sentinels." } },
      /^warning: A failover could not happen now: 1 usable Sentinels\./,
    ],
  ];
  assert.deepEqual(complaints({}), []);
  for (const [what, change, expected] of cases) {
    await t.step(what, () => {
      const found = complaints(change);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
      assert.match(found[0] ?? "", / → /);
    });
  }
  await t.step("one name for all of them", () => {
    assert.match(complaints({}, 1).join(), /REDIS_URL names one of 3 Sentinels/);
  });
  await t.step("one Sentinel, or two", () => {
    const endpoint = { host: "s1", port: 26379 };
    for (const sentinels of [1, 2]) {
      const view = { ...GOOD, sentinels, quorum: 1 };
      const findings = sentinelFindings([{ endpoint, view }], { master: "main", named: sentinels });
      assert.match(textsOf(findings, "warning").join(), /there is no majority/);
    }
  });
});

Deno.test("transportFindings() warns of plain links to the Sentinels of other machines", () => {
  const optionsOf = (url: string, tls?: Record<string, never>) =>
    redisOptionsOf(url, { sentinel: tls === undefined ? {} : { tls } });
  const far = "redis+sentinel://s1,s2/main";
  assert.match(textsOf(transportFindings(optionsOf(far)), "warning").join(), /plain TCP/);
  assert.deepEqual(transportFindings(optionsOf(far, {})), []);
  assert.deepEqual(transportFindings(optionsOf("redis+sentinel://127.0.0.1,localhost/main")), []);
});

function sentinelsOf({ servers }: Topology) {
  return servers.flatMap(({ part, server }) => part === "sentinel" ? [server] : []);
}

Deno.test("doctor looks at every Sentinel, and at the primary as at a single Redis", async (t) => {
  await using topology = await startTopology("sentinel");
  const { env, servers } = topology;
  const [primary, ...replicas] = servers.flatMap(({ part, server }) =>
    part === "sentinel" ? [] : [server]
  );
  assert.ok(primary);
  await t.step("it is content but for what can split", async () => {
    const findings = await examined(env);
    assert.deepEqual(textsOf(findings, "failure"), []);
    const [warning = "", ...others] = textsOf(findings, "warning");
    assert.deepEqual(others, []);
    assert.match(warning, /^min-replicas-to-write is 0: .*`stored`.*\$gap failover → /);
    assert.match(warning, /min-replicas-max-lag 10.*durability "replicated"/s);
    assert.match(
      textsOf(findings, "ok").join("\n"),
      /know runnel\n.*The primary is .*\nA failover needs 2 of 3 Sentinels\n[^]*It has 2 replicas/,
    );
  });
  await t.step("a user that may not ask about a failover", async () => {
    const rules = ["on", ">secret", "&*", "+sentinel|master", "+subscribe", "+ping"];
    for (const one of sentinelsOf(topology)) await one.cli("ACL", "SETUSER", "narrow", ...rules);
    const narrow = { REDIS_SENTINEL_USERNAME: "narrow", REDIS_SENTINEL_PASSWORD: "secret" };
    const findings = await examined({ ...env, ...narrow });
    assert.deepEqual(textsOf(findings, "failure"), []);
    assert.match(textsOf(findings, "note").join(), /cannot be asked .*→ .*ckquorum/);
  });
  await t.step("a name that they do not know", async () => {
    const REDIS_URL = env.REDIS_URL.replace("/runnel", "/other");
    const failures = await failuresOf({ REDIS_URL });
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? "", /watches no master named other → .*REDIS_URL/);
  });
  await t.step(
    "a Redis where a Sentinel should be, and a Sentinel where Redis should be",
    async () => {
      const wrong = await failuresOf({
        REDIS_URL: `redis+sentinel://127.0.0.1:${primary.port}/runnel`,
      });
      assert.match(wrong.join(), /it is no Sentinel → /);
      const port = sentinelsOf(topology)[0]?.port;
      const turned = await failuresOf({ REDIS_URL: `redis://127.0.0.1:${port}` });
      assert.match(turned.join(), /It is a Sentinel.*→ Write redis\+sentinel:\/\/127/);
    },
  );
  await t.step("settings of the primary", async () => {
    await primary.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    const findings = await examined(env);
    assert.match(textsOf(findings, "failure").join(), /^maxmemory-policy is allkeys-lru/);
    const where = findings.find(({ level }) => level === "failure")?.where;
    assert.equal(where, `redis://127.0.0.1:${primary.port}/0`);
    await primary.cli("CONFIG", "SET", "maxmemory-policy", "noeviction");
  });
  await t.step("a primary that replicas hold back", async () => {
    await primary.cli("CONFIG", "SET", "min-replicas-to-write", "1");
    const content = await examined(env);
    assert.deepEqual(textsOf(content, "warning"), []);
    assert.match(textsOf(content, "ok").join(), /stops taking writes after 10 seconds/);
    await primary.cli("CONFIG", "SET", "min-replicas-to-write", "2");
    assert.match(textsOf(await examined(env), "note").join(), /so it does where a replica dies/);
    await primary.cli("CONFIG", "SET", "min-replicas-to-write", "3");
    assert.match((await failuresOf(env)).join("\n"), /it refuses every write/);
    await primary.cli("CONFIG", "SET", "min-replicas-to-write", "0");
  });
  await t.step("no replica", async () => {
    for (const replica of replicas) await replica.kill9();
    const warnings = await until(async () => {
      const found = textsOf(await examined(env), "warning");
      return found.some((text) => /no replica that is there/.test(text)) && found;
    });
    assert.ok(!warnings.join().includes("min-replicas"), warnings.join("\n"));
  });
  await t.step("a Sentinel that is away, and two of them", async () => {
    const [first, second] = sentinelsOf(topology);
    await first?.kill9();
    const away = textsOf(await examined(env), "warning").join("\n");
    assert.match(away, new RegExp(`The Sentinel at 127.0.0.1:${first?.port} .*nothing listens`));
    await second?.kill9();
    await until(
      async () => /could not happen now/.test(textsOf(await examined(env), "warning").join("\n")),
      { timeoutMs: 20_000, everyMs: 250, what: "the last Sentinel to miss the others" },
    );
    // in the order of REDIS_URL, whichever that is
    const [a, b] = env.REDIS_URL.split(/[/,]/)
      .filter((text) => text.endsWith(`:${first?.port}`) || text.endsWith(`:${second?.port}`));
    const text = textsOf(await examined(env), "warning").join("\n");
    assert.ok(text.includes(`The Sentinels at ${a}, ${b} cannot be used: nothing listens`), text);
  });
});

Deno.test("doctor names every Sentinel where none answers", async () => {
  await using alone = await startRedis();
  const { port } = alone;
  await alone.kill9();
  const failures = await failuresOf({
    REDIS_URL: `redis+sentinel://127.0.0.1:${port},localhost:${port}/runnel`,
  });
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", new RegExp(`127.0.0.1:${port}, localhost:${port} .*nothing lis`));
});
