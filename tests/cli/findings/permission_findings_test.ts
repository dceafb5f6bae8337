import assert from "node:assert/strict";
import type { Finding } from "../../../lib/cli/findings/finding.ts";
import { serverLink } from "../../../lib/cli/findings/link.ts";
import {
  permissionFindings,
  sentinelPermissionFindings,
} from "../../../lib/cli/findings/permission_findings.ts";
import { examine } from "../../../lib/cli/findings/redis_findings.ts";
import { type RedisServer, startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import { loadConfig } from "../../../lib/config.ts";
import type { RedisOptions } from "../../../lib/redis/options.ts";
import { redisOptionsOf } from "../../_support/partition.ts";
import {
  giveUser,
  giveUserTo,
  readRedisUser,
  type RedisUser,
  without,
} from "../../_support/redis_user.ts";

function optionsOf(redis: RedisServer, user: RedisUser, db = 0): RedisOptions {
  const url = redis.url.replace("://", `://${user.name}:${user.password}@`);
  return redisOptionsOf(`${url}/${db}`);
}

/** Rules that let it do something, without those that name the user. */
const permissions = (rules: readonly string[]) => rules.filter((rule) => /^[~&+]/.test(rule));

function assertNames(findings: readonly Finding[], rule: string): void {
  const named = findings.filter(({ level }) => level !== "ok").some(({ text, advice = "" }) =>
    text.includes(`lacks ${rule} `.trimEnd()) && advice.includes(`ACL SETUSER runnel ${rule}`)
  );
  assert.ok(named, `${rule}: ${JSON.stringify(findings, null, 1)}`);
}

Deno.test("examine() has nothing against the README's user", async () => {
  await using redis = await startRedis();
  const user = await readRedisUser();
  await giveUser(redis, user, [...user.serving, ...user.doctor]);
  const findings = await examine(serverLink(optionsOf(redis, user)), { prefix: "rn" });
  const bad = findings.filter(({ level }) => level === "failure" || level === "warning");
  assert.deepEqual(bad, []);
});

Deno.test("examine() names each rule that the user lacks, and what to say so that it does not", async () => {
  await using redis = await startRedis({ appendonly: false });
  const user = await readRedisUser();
  const rules = [...user.serving, ...user.doctor];
  for (const rule of permissions(rules)) {
    await giveUser(redis, user, without(rules, rule));
    assertNames(await examine(serverLink(optionsOf(redis, user)), { prefix: "rn" }), rule);
  }
});

Deno.test("permissionFindings() names each rule of a Cluster's nodes, and of a database", async () => {
  await using redis = await startRedis({ appendonly: false });
  const user = await readRedisUser();
  const rules = [...user.cluster, ...user.doctor, ...user.database];
  const look = (sharded: boolean) =>
    permissionFindings(optionsOf(redis, user, 3), { prefix: "rn", sharded });
  await giveUser(redis, user, rules);
  assert.deepEqual((await look(true)).map(({ level }) => level), ["ok"]);
  for (const rule of permissions(rules)) {
    await giveUser(redis, user, without(rules, rule));
    assertNames(await look(true), rule);
  }
});

Deno.test("permissionFindings() names all that is missing at once, by the user's name", async () => {
  await using redis = await startRedis({ appendonly: false });
  const user = await readRedisUser();
  await giveUser(redis, user, [...user.serving, "-xadd", "-hset", "resetkeys"]);
  const [finding] = await permissionFindings(optionsOf(redis, user), { prefix: "rn" });
  assert.equal(finding?.level, "failure");
  assert.match(finding.text, /^The user "runnel" lacks ~\{rn:\* \+hset \+xadd at redis:\/\/127/);
  assert.doesNotMatch(JSON.stringify(finding), /password/);
});

Deno.test("sentinelPermissionFindings() names each rule that the user lacks at a Sentinel", async () => {
  await using topology = await startTopology("sentinel", { password: "a", sentinelPassword: "b" });
  const user = await readRedisUser();
  const variables = await giveUserTo(topology, user);
  const { redis: [options] = [] } = loadConfig((name) => variables[name]);
  assert.ok(options);
  assert.deepEqual(await sentinelPermissionFindings(options), []);
  const sentinel = topology.servers.find(({ part }) => part === "sentinel")?.server;
  assert.ok(sentinel);
  for (const rule of permissions(user.sentinel)) {
    await giveUser(sentinel, user, without(user.sentinel, rule));
    const findings = await sentinelPermissionFindings(options);
    assert.equal(findings.length, 1);
    assertNames(findings, rule);
  }
});
