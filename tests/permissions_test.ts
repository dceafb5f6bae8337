/** What deno.json lets each task do. That it is enough for the functions is in tests/functions/permissions_test.ts. */
import assert from "node:assert/strict";
import { startRedis } from "../lib/cli/topology/local_redis.ts";
import { VARIABLES } from "../lib/config.ts";
import { openRunnel } from "./_support/open_runnel.ts";
import { taskFlags, TASKS } from "./_support/task_flags.ts";
import { tempFile } from "./_support/temp_file.ts";
import { deadline } from "./_support/until.ts";
import { runCli } from "./cli/run_cli.ts";

/** What `deno task start` reads besides, and the command line. A function reads none of it, whatever is set. */
const NOT_FOR_FUNCTIONS: readonly string[] = [
  ...["PORT", "HOST", "TLS_CERT", "TLS_KEY", "RUNNEL_DATA_DIR"],
  ...["RUNNEL_URL", "RUNNEL_TOKEN"],
];
/** What commands that talk to a server read; the last two decide about colours. */
const FOR_CLIENTS = ["RUNNEL_URL", "RUNNEL_TOKEN", "FORCE_COLOR", "TERM"];

const SERVE = taskFlags("serve");
const FUNCTIONS = [...Deno.readDirSync("functions")]
  .map(({ name }) => name.replace(/\.ts$/, ""))
  .sort();

const forFunctions = VARIABLES.map(({ name }): string => name)
  .filter((name) => !NOT_FOR_FUNCTIONS.includes(name));

Deno.test("the task serve lets functions read the variables that they use, in the order of VARIABLES, and no other", () => {
  const wanted = `--allow-env=${forFunctions.join(",")}`;
  const help = [
    "VARIABLES and the task serve in deno.json differ. If functions read the new variable, put this into serve:",
    wanted,
    "and run this test again for what README needs. Else name it in NOT_FOR_FUNCTIONS of this test.",
  ].join("\n");
  assert.deepEqual(SERVE, ["--no-prompt", "--allow-net", "--ignore-env", wanted], help);
});

Deno.test("README shows the flags of the task serve", async () => {
  const command = ["deno serve", ...SERVE, "functions/publish.ts"].join(" ");
  const text = await Deno.readTextFile("README.md");
  const [, block = ""] = /<!-- flags -->\s+```sh\n([^]*?)```\s+<!-- \/flags -->/.exec(text) ?? [];
  const shown = block.trim().replace(/,\\\n/g, ",").replace(/\s*\\\n\s*/g, " ");
  assert.equal(
    shown,
    command,
    `README needs this between its marks for flags:\n${folded(command)}`,
  );
});

/** As a shell reads it in several lines: a list goes on in the first column. */
function folded(command: string): string {
  const [flags = "", rest = ""] = command.split(/ (?=--allow-env=)/);
  const [list = "", file = ""] = rest.split(" ");
  const lines = list.match(/[^ ]{1,90}(?:,|$)/g) ?? [];
  return `${flags} \\\n  ${lines.join("\\\n")} \\\n  ${file}`;
}

Deno.test("every function has a task that serves it under the flags of serve", () => {
  const wanted = FUNCTIONS.map((name) => [
    `serve:${name}`,
    `deno task --quiet serve functions/${name}.ts`,
  ]);
  const tasks = Object.entries(TASKS).filter(([name]) => name.startsWith("serve:"));
  assert.deepEqual(Object.fromEntries(tasks), Object.fromEntries(wanted));
});

Deno.test("no task but start may do everything, and none asks", () => {
  for (const [name, command] of Object.entries(TASKS)) {
    const everything = /(^| )(-A|--allow-all|-P\S*|--permission-set\S*)( |$)/.test(command);
    assert.equal(everything, name === "start", name);
    if (name === "start" || name.startsWith("serve:")) continue;
    assert.ok(taskFlags(name).includes("--no-prompt"), name);
  }
});

Deno.test("commands that talk to a server may reach it, and read where it is", () => {
  const least = ["--no-prompt", "--allow-net", `--allow-env=${FOR_CLIENTS.join(",")}`];
  const further = {
    ...{ publish: [], subscribe: [], topics: [], top: [], request: [], dead: [], demo: [] },
    ...{ batch: ["--allow-read"], work: ["--allow-run"], reply: ["--allow-run"] },
  };
  for (const [name, flags] of Object.entries(further)) {
    const help = `${name}: FOR_CLIENTS of this test and its task in deno.json differ`;
    assert.deepEqual(taskFlags(name), [...least, ...flags], help);
  }
});

Deno.test("commands that talk to a server work under the flags of their tasks", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const env = { RUNNEL_URL: runnel.url };
  const cli = async (args: string[], stdin = "") => {
    const { code, stdout, stderr } = await deadline(runCli(args, { env, stdin }), 60_000, args[0]);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout + stderr;
  };
  await using file = await tempFile("1\n2\n");
  const all = ["--since", "earliest", "--no-wait"];
  await cli(["publish", "t", "Hello"]);
  await cli(["publish", "t", "-"], "from stdin");
  assert.match(await cli(["batch", "t", file.path]), /2 stored/);
  for (const path of ["-", "/dev/stdin"]) {
    assert.match(await cli(["batch", "t", path], "3\n"), /1 stored/);
  }
  assert.match(await cli(["subscribe", "t", ...all, "--data"]), /Hello\nfrom stdin\n1\n2\n3\n3\n/);
  assert.match(await cli(["topics"]), /^t .*6 messages/m);
  assert.match(await cli(["top", "--once", "--interval", "200ms"]), /^t .*6/m);
  assert.match(await cli(["dead", "list", "t"]), /no dead letters/);
  assert.match(await cli(["work", "t", "--group", "g", ...all, "--", "cat"]), /6 done/);
  assert.match(await cli(["demo", "--every-ms", "0", "--count", "1"]), /gets 42/);
  const [, answer] = await Promise.all([
    cli(["reply", "q", "--since", "earliest", "--limit", "1", "--", "cat"]),
    cli(["request", "q", "ping"]),
  ]);
  assert.match(answer, /ping/);
});

Deno.test("without RUNNEL_URL in its list a command stops, and says what is missing", async () => {
  const flags = taskFlags("topics").filter((flag) => !flag.startsWith("--allow-env"));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, "lib/cli/main.ts", "topics"],
    stdin: "null",
  }).output();
  assert.notEqual(code, 0);
  assert.match(new TextDecoder().decode(stderr), /NotCapable: Requires env access to "RUNNEL_URL"/);
});

Deno.test("under the flags of dev, which Deno gives no /proc, a Redis that was left behind is seen all the same", async () => {
  await using redis = await startRedis({ appendonly: false });
  const table = new URL("../lib/cli/redis/process_table.ts", import.meta.url).href;
  const seen = `console.log(isAlive(${redis.pid}), commandLine(${redis.pid}))`;
  const dir = await Deno.makeTempDir({ prefix: "runnel-permissions-" });
  await Deno.writeTextFile(
    `${dir}/look.ts`,
    `import { commandLine, isAlive } from ${JSON.stringify(table)};\n${seen};\n`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...taskFlags("dev"), `${dir}/look.ts`],
    stdin: "null",
  }).output();
  assert.match(new TextDecoder().decode(stdout), new RegExp(`^true .*:${redis.port}`));
  await Deno.remove(dir, { recursive: true });
});
