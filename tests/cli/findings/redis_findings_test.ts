import assert from "node:assert/strict";
import type { Finding } from "../../../lib/cli/findings/finding.ts";
import { serverLink } from "../../../lib/cli/findings/link.ts";
import { redisFindings } from "../../../lib/cli/findings/redis_findings.ts";
import { parseRedisUrl } from "../../../lib/redis/address.ts";
import type { PersistenceSettings, RedisInspection } from "../../../lib/redis/inspection.ts";

const GOOD: RedisInspection = {
  server: "redis",
  version: "7.0.15",
  role: "master",
  mode: "standalone",
  loading: false,
  replicas: 0,
  lastAofWriteOk: true,
  lastSnapshotOk: true,
  settings: {
    value: {
      appendonly: "yes",
      appendfsync: "always",
      save: "900 1",
      maxmemoryPolicy: "noeviction",
      minReplicasToWrite: 0,
      minReplicasMaxLag: 10,
    },
  },
  replicationIdInScripts: { value: "0123" },
  roundTripMs: { value: 0.7 },
};

function findings(change: Partial<RedisInspection>, url = "redis://127.0.0.1"): Finding[] {
  const timeouts = { connectTimeoutMs: 1, commandTimeoutMs: 1 };
  const options = { address: parseRedisUrl(url), connections: 1, ...timeouts };
  return redisFindings({ ...GOOD, ...change }, serverLink(options));
}

function withSettings(change: Partial<PersistenceSettings>): Partial<RedisInspection> {
  assert.ok("value" in GOOD.settings);
  return { settings: { value: { ...GOOD.settings.value, ...change } } };
}

Deno.test("redisFindings() has nothing to say against a good Redis", () => {
  for (const url of ["unix:/run/redis.sock", "redis://localhost", "rediss://:pw@redis.example"]) {
    assert.deepEqual(findings({}, url).filter(({ level }) => level !== "ok"), [], url);
  }
});

Deno.test("redisFindings() says what is wrong, how bad it is, and what to do", async (t) => {
  const cases: [what: string, level: Finding["level"], text: RegExp, Partial<RedisInspection>][] = [
    ["an old version", "failure", /6\.2\.0/, { version: "6.2.0" }],
    ["a replica", "failure", /"slave"/, { role: "slave" }],
    ["a cluster", "failure", /node of a Cluster/, { mode: "cluster" }],
    ["loading", "warning", /loading/, { loading: true }],
    ["no AOF", "failure", /appendonly is no/, withSettings({ appendonly: "no" })],
    ["everysec", "warning", /two seconds/, withSettings({ appendfsync: "everysec" })],
    ["no fsync", "warning", /appendfsync is no/, withSettings({ appendfsync: "no" })],
    ["no snapshots", "note", /save is empty/, withSettings({ save: "" })],
    ["eviction", "failure", /volatile-ttl/, withSettings({ maxmemoryPolicy: "volatile-ttl" })],
    ["a failed AOF write", "failure", /AOF failed/, { lastAofWriteOk: false }],
    ["a failed snapshot", "failure", /snapshot failed/, { lastSnapshotOk: false }],
    ["hidden settings", "warning", /cannot be read/, { settings: { refused: "NOPERM" } }],
    ["INFO forbidden", "failure", /INFO replication/, { replicationIdInScripts: { refused: "x" } }],
    ["no way through", "failure", /does not get through/, { roundTripMs: { refused: "NOPERM" } }],
    ["a long way", "warning", /80\.0 ms/, { roundTripMs: { value: 80 } }],
  ];
  for (const [what, level, text, change] of cases) {
    await t.step(what, () => {
      const bad = findings(change).filter((finding) => finding.level !== "ok");
      assert.equal(bad.length, 1);
      assert.equal(bad[0]!.level, level);
      assert.match(bad[0]!.text, text);
      assert.ok(bad[0]!.advice);
    });
  }
});

Deno.test("redisFindings() warns of a plain or open link to another machine, without secrets", () => {
  const bad = findings({}, "redis://redis.example").filter(({ level }) => level === "warning");
  assert.equal(bad.length, 2);
  const texts = JSON.stringify(findings({}, "redis://user:hidden@redis.example"));
  assert.ok(!texts.includes("hidden"));
});
