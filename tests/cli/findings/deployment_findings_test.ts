import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { Deployment } from "../../../lib/redis/deployment.ts";
import { recordKey } from "../../../lib/redis/keys.ts";
import { memoryLog } from "../../_support/memory_log.ts";
import { redisOptionsOf } from "../../_support/partition.ts";
import { examined, textsOf } from "./examined.ts";

let servers: readonly RedisServer[];

Deno.test.beforeAll(async () => {
  const options = { args: ["--save", "3600 1"] };
  servers = await Promise.all(Array.from({ length: 3 }, () => startRedis(options)));
});
Deno.test.afterAll(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});

/** The servers by their places. */
function urlsOf(...places: number[]): string {
  return places.map((place) => servers[place]?.url).join(" ");
}

/** Begins a deployment as its first process would. */
async function begin(prefix: string, places: number[], partitions?: number): Promise<void> {
  const shards = urlsOf(...places).split(" ").map((url) => redisOptionsOf(url));
  await using deployment = new Deployment({ shards, prefix, partitions, log: memoryLog().log });
  await deployment.open();
}

interface Found {
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  readonly ok: readonly string[];
}

async function look(prefix: string, places: number[], partitions?: number): Promise<Found> {
  const findings = await examined({
    REDIS_URL: urlsOf(...places),
    RUNNEL_PREFIX: prefix,
    RUNNEL_PARTITIONS: partitions === undefined ? undefined : `${partitions}`,
  });
  return {
    failures: textsOf(findings, "failure"),
    warnings: textsOf(findings, "warning"),
    notes: textsOf(findings, "note"),
    ok: textsOf(findings, "ok"),
  };
}

/** The address of a server as it is written down. */
function stored(place: number): string {
  return `${servers[place]?.url}/0`;
}

Deno.test("doctor says that no deployment is there, and begins none", async () => {
  const found = await look("none", [0, 1], 8);
  assert.match(found.ok.join("\n"), /No deployment is here yet: .* with 8 partitions/);
  assert.equal(await servers[0]?.cli("EXISTS", recordKey("none")), "0");
});

Deno.test("doctor is content with a deployment as it is stored", async () => {
  await begin("good", [0, 1], 4);
  for (const partitions of [undefined, 4]) {
    const { failures, warnings, notes, ok } = await look("good", [1, 0], partitions);
    assert.deepEqual([failures, warnings, notes], [[], [], []]);
    assert.ok(ok.includes("The deployment has 4 partitions"));
  }
});

Deno.test("doctor says that another RUNNEL_PARTITIONS changes nothing", async () => {
  await begin("count", [0, 1], 4);
  const { failures, warnings } = await look("count", [0, 1], 16);
  assert.deepEqual(failures, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /4 partitions; RUNNEL_PARTITIONS asks for 16.*→ .*PARTITIONS=4/);
  await begin("one", [2]);
  const one = await look("one", [2], 8);
  assert.match(one.warnings.join(), /has 1 partition; .*→ deno task reshard .*--partitions 8/);
});

Deno.test("doctor names the Redis that REDIS_URL lacks", async () => {
  await begin("lack", [0, 1], 4);
  const { failures } = await look("lack", [0]);
  assert.equal(failures.length, 1);
  assert.ok(failures[0]?.startsWith(`REDIS_URL lacks ${stored(1)}, where 2 of 4 partitions are`));
  assert.match(failures[0] ?? "", /→ Add it to REDIS_URL/);
});

Deno.test("doctor names a Redis that is not used, and what spreads the topics over it", async () => {
  await begin("more", [0, 1], 4);
  const { failures, notes } = await look("more", [0, 1, 2]);
  assert.deepEqual(failures, []);
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /is not used → deno task reshard/);
  assert.ok(notes[0]?.includes(stored(2)));
});

Deno.test("doctor names the Redis servers of two deployments that are mixed", async () => {
  await begin("mixed", [0]);
  await begin("mixed", [1, 2]);
  const { failures } = await look("mixed", [0, 1, 2]);
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /mixes Redis servers of 2 deployments: .*→ /);
  assert.ok(failures[0]?.includes(`${stored(0)} | ${stored(1)}, ${stored(2)}`));
});

Deno.test("doctor says so where what is written down may not be read", async () => {
  await using redis = await startRedis();
  await redis.cli("ACL", "SETUSER", "narrow", "on", ">secret", "~{rn:0}*", "&{rn:0}*", "+@all");
  const REDIS_URL = redis.url.replace("://", "://narrow:secret@");
  const failures = textsOf(await examined({ REDIS_URL }), "failure");
  assert.match(
    failures.join("\n"),
    /written down of the deployment .* may not be read → .*ACL SET/,
  );
});

Deno.test("doctor names a Redis that has come back without its data", async () => {
  await begin("lost", [0, 1], 4);
  await servers[1]?.cli("DEL", recordKey("lost"));
  const { failures, warnings, notes } = await look("lost", [0, 1]);
  assert.deepEqual([failures, notes], [[], []]);
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0]?.startsWith(`${stored(1)} has come back without its data: 2 of 4`));
});

Deno.test("doctor does not say of a Redis that is away that REDIS_URL lacks it", async () => {
  await using gone = await startRedis();
  const shards = [servers[0]?.url ?? "", gone.url].map((url) => redisOptionsOf(url));
  {
    await using deployment = new Deployment({ shards, prefix: "gone", log: memoryLog().log });
    await deployment.open();
  }
  await gone.kill9();
  const REDIS_URL = `${servers[0]?.url} ${gone.url}`;
  const failures = textsOf(await examined({ REDIS_URL, RUNNEL_PREFIX: "gone" }), "failure");
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /cannot be used .*nothing listens/);
});
