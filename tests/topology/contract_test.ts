/** What Runnel promises over HTTP, on every topology: the tests of tests/functions, run again on each. */
import assert from "node:assert/strict";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { TopologyName, TopologyOptions } from "../../lib/cli/topology/topology.ts";

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

/** The tests as other Redis servers see them; what they said where one failed. */
async function runContract(env: Readonly<Record<string, string>>): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--parallel", ...await contractFiles()],
    env: { NO_COLOR: "1", TEST_TOPOLOGY: JSON.stringify(env) },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const failures = text.slice(Math.max(0, text.indexOf(" ERRORS ")));
  assert.ok(success, `${failures}\n${new TextDecoder().decode(stderr)}`);
  return text;
}

const SETTINGS: readonly (readonly [
  what: string,
  name: TopologyName,
  options: TopologyOptions,
  env: Readonly<Record<string, string>>,
])[] = [
  ["two shards and many partitions", "shards", { shards: 2 }, {}],
  ["a Sentinel set", "sentinel", {}, {}],
  ["a Cluster", "cluster", {}, { RUNNEL_PARTITIONS: "8" }],
  ["a Redis with TLS, client certificates and a password", "tls", { password: "secret" }, {}],
];

for (const [what, name, options, env] of SETTINGS) {
  Deno.test(`every promise over HTTP is kept on ${what}`, async () => {
    await using topology = await startTopology(name, options);
    const said = await runContract({ ...topology.env, ...env });
    const [, passed = "0"] = /^ok \| (\d+) passed/m.exec(said) ?? [];
    assert.ok(Number(passed) > 150, said);
  });
}
