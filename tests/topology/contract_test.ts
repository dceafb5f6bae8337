/** What Runnel promises over HTTP, on every topology: the tests of tests/functions, run again on each. */
import assert from "node:assert/strict";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { TopologyName, TopologyOptions } from "../../lib/cli/topology/topology.ts";
import { giveUserTo, readRedisUser } from "../_support/redis_user.ts";
import { deadline } from "../_support/until.ts";

/** Tests that use whatever Redis there is; the others start Redis servers of their own. */
async function contractFiles(): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir("tests/functions")) {
    const path = `tests/functions/${name}`;
    const uses = name.endsWith("_test.ts") &&
      (await Deno.readTextFile(path)).includes("_support/fixture.ts");
    if (uses) files.push(path);
  }
  return files.sort();
}

/** Passwords of the servers' default users: Runnel is the README's user there, who may do no more than it must. */
const RESTRICTED: TopologyOptions = { password: "of the data", sentinelPassword: "of Sentinels" };
const ADMINISTRATOR = { REDIS_USERNAME: "default", REDIS_PASSWORD: "of the data" };

/** Several times what the tests take. */
const LIMIT_MS = 5 * 60_000;

/** The tests as other Redis servers see them; what they said where one failed. */
async function runContract(
  env: Readonly<Record<string, string>>,
  administrator: Readonly<Record<string, string>>,
): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--parallel", ...await contractFiles()],
    env: {
      NO_COLOR: "1",
      TEST_TOPOLOGY: JSON.stringify(env),
      TEST_ADMINISTRATOR: JSON.stringify(administrator),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  // interrupted, it says which tests it waits for
  await deadline(child.status, LIMIT_MS).catch(() => child.kill("SIGINT"));
  const { success, stdout, stderr } = await output;
  const text = new TextDecoder().decode(stdout);
  const failures = text.slice(/^ ERRORS $|were pending/m.exec(text)?.index ?? 0);
  assert.ok(success, `${failures}\n${new TextDecoder().decode(stderr)}`);
  return text;
}

/** What a server did not let its users do. */
async function refusals(server: RedisServer): Promise<string> {
  return await server.cli("ACL", "LOG");
}

const SETTINGS: readonly (readonly [
  what: string,
  name: TopologyName,
  options: TopologyOptions,
  env: Readonly<Record<string, string>>,
])[] = [
  ["two shards and many partitions", "shards", { shards: 2 }, {}],
  ["a Sentinel set by the README's user", "sentinel", RESTRICTED, {}],
  ["a Cluster by the README's user", "cluster", RESTRICTED, { RUNNEL_PARTITIONS: "8" }],
  ["a Redis with TLS and client certificates by the README's user", "tls", RESTRICTED, {}],
];

for (const [what, name, options, env] of SETTINGS) {
  Deno.test(`every promise over HTTP is kept on ${what}`, async () => {
    await using topology = await startTopology(name, options);
    const restricted = options === RESTRICTED;
    const reached = restricted ? await giveUserTo(topology, await readRedisUser()) : topology.env;
    const said = await runContract({ ...reached, ...env }, restricted ? ADMINISTRATOR : {});
    const [, passed = "0"] = /^ok \| (\d+) passed/m.exec(said) ?? [];
    assert.ok(Number(passed) > 150, said);
    if (restricted) {
      for (const { server } of topology.servers) assert.equal(await refusals(server), "");
    }
  });
}
