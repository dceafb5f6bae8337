import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { denoDeploy } from "../../lib/cli/hosts/deno_deploy.ts";
import type { Host } from "../../lib/cli/hosts/host.ts";
import { type Environment, examineForHost } from "../../lib/cli/hosts/host_findings.ts";
import { netlify } from "../../lib/cli/hosts/netlify.ts";
import { supabase } from "../../lib/cli/hosts/supabase.ts";
import { writeFiles } from "../../lib/cli/hosts/write_files.ts";
import { main } from "../../lib/cli/main.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { VARIABLES } from "../../lib/config.ts";
import { send } from "../_support/http.ts";
import { denoBinary, hasOldDeno } from "../_support/old_deno.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { runCli } from "./run_cli.ts";

const HOSTS = [denoDeploy, supabase, netlify];

const GOOD = {
  REDIS_URL: "rediss://:secret@redis.example.com:6380",
  RUNNEL_AUTH: "keys",
  RUNNEL_STREAM_SECONDS: "30",
  RUNNEL_CORS_ORIGINS: "https://app.example.com",
};

/** Findings that ask for something, as `level text`. */
function complaints(host: Host, environment: Environment): string[] {
  return examineForHost(host, environment)
    .filter(({ level }) => level === "failure" || level === "warning")
    .map(({ level, text }) => `${level} ${text}`);
}

async function tempDir() {
  const path = await Deno.makeTempDir({ prefix: "runnel-host-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("examineForHost() is content with an environment that works there", () => {
  for (const host of HOSTS) assert.deepEqual(complaints(host, GOOD), [], host.name);
});

Deno.test("what a host is said to need is what examineForHost() is content with, and has names that exist", () => {
  const known = VARIABLES.map(({ name }): string => name);
  for (const host of HOSTS) {
    const said = Object.fromEntries(host.variables.map(({ name, value }) => [name, value]));
    assert.ok(Object.keys(said).every((name) => known.includes(name)), host.name);
    const environment = { ...GOOD, ...said, REDIS_URL: GOOD.REDIS_URL };
    assert.deepEqual(complaints(host, environment), [], host.name);
  }
});

Deno.test("examineForHost() finds what would not work at a host", async (t) => {
  const { REDIS_URL: _redis, ...noRedis } = GOOD;
  const { RUNNEL_AUTH: _auth, ...noAuth } = GOOD;
  const { RUNNEL_STREAM_SECONDS: _seconds, ...noLimit } = GOOD;
  const { RUNNEL_CORS_ORIGINS: _origins, ...noOrigins } = GOOD;
  const redis = (url: string) => ({ ...GOOD, REDIS_URL: url });
  const cases: Record<string, [environment: Environment, complaint: RegExp]> = {
    "no Redis": [noRedis, /^failure REDIS_URL is unset/],
    "a socket": [redis("unix:/run/redis.sock"), /^failure unix:.* is a socket of this machine/],
    "loopback": [redis("redis://:x@localhost"), /^failure .*leads to the machine itself/],
    "loopback by number": [redis("rediss://:x@127.0.0.2"), /^failure .*the machine itself/],
    "loopback, IPv6": [redis("rediss://:x@[::1]"), /^failure .*the machine itself/],
    "a Sentinel that is local": [
      redis("rediss+sentinel://:x@s1.example.com,localhost/m"),
      /^failure .*the machine itself/,
    ],
    "a node of a private network": [
      redis("rediss+cluster://:x@10.1.2.3,n.example.com"),
      /^failure .*private network/,
    ],
    "a name of docker": [redis("rediss://:x@redis"), /^failure .*private network/],
    "one shard of several": [
      redis("rediss://:x@a.example.com rediss://:x@b.internal"),
      /^failure rediss:\/\/b\.internal.*private network/,
    ],
    "no TLS": [redis("redis://:x@redis.example.com"), /^warning .*without TLS/],
    "no password": [redis("rediss://redis.example.com"), /^warning .*without a password/],
    "a file": [{ ...GOOD, REDIS_TLS_CA: "/etc/ca.pem" }, /^failure REDIS_TLS_CA names a file/],
    "keys in a file": [{ ...GOOD, RUNNEL_KEYS: "keys.json" }, /^failure RUNNEL_KEYS names a file/],
    "nobody is let in": [noAuth, /^failure RUNNEL_AUTH is unset/],
    "open, not acknowledged": [
      { ...GOOD, RUNNEL_AUTH: "open" },
      /^failure RUNNEL_AUTH=open without/,
    ],
    "open": [
      { ...GOOD, RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
      /^warning RUNNEL_AUTH=open: the whole internet/,
    ],
    "streams without an end": [noLimit, /^failure RUNNEL_STREAM_SECONDS is unset/],
    "streams that are too long": [
      { ...GOOD, RUNNEL_STREAM_SECONDS: "400" },
      /^failure RUNNEL_STREAM_SECONDS is 400/,
    ],
    "streams for paid plans alone": [
      { ...GOOD, RUNNEL_STREAM_SECONDS: "390" },
      /^warning RUNNEL_STREAM_SECONDS is 390/,
    ],
    "silent streams": [{ ...GOOD, RUNNEL_HEARTBEAT_MS: "120000" }, /^warning RUNNEL_HEARTBEAT_MS/],
    "no page": [noOrigins, /^warning RUNNEL_CORS_ORIGINS is unset/],
    "a slip": [
      { ...GOOD, RUNNEL_STREAM_SECOND: "3" },
      /^warning .*is RUNNEL_STREAM_SECONDS meant\?/,
    ],
    "a value that is none": [
      { ...GOOD, RUNNEL_MAX_MESSAGES: "x" },
      /^failure RUNNEL_MAX_MESSAGES: /,
    ],
  };
  for (const [name, [environment, expected]] of Object.entries(cases)) {
    await t.step(name, () => {
      const found = complaints(supabase, environment);
      assert.ok(found.some((text) => expected.test(text)), found.join("\n"));
      assert.ok(found.every((text) => !text.includes("secret")), "no password is shown");
    });
  }
});

Deno.test("examineForHost() says what has no effect there", () => {
  const environment = { ...GOOD, PORT: "80", HOST: "0.0.0.0" };
  const notes = examineForHost(netlify, environment).filter(({ level }) => level === "note");
  assert.match(notes[0]?.text ?? "", /^PORT, HOST: .* without effect/);
});

Deno.test("deploy:check explains every host, and exits with 1 where something would not work", async () => {
  const bad = await runCli(["deploy:check"]);
  assert.equal(bad.code, 1);
  for (const { title } of HOSTS) {
    assert.ok(bad.stdout.includes(`${title} (not tried on the real host)`), title);
  }
  assert.match(bad.stdout, /FAIL +REDIS_URL is unset/);
  const good = await runCli(["deploy:check", "--json"], { env: GOOD });
  assert.equal(good.code, 0, good.stdout);
  const lines = good.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ host, tried }) => [host, tried]), [
    ["deno", false],
    ["supabase", false],
    ["netlify", false],
  ]);
});

Deno.test("deploy:check refuses a wrong call with exit code 2", async () => {
  for (const args of [["vercel"], ["--write", "x"], ["deno", "--force"], ["deno", "netlify"]]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main(["deploy:check", ...args], terminal), 2, terminal.stderr);
    assert.equal(terminal.stdout, "");
  }
});

Deno.test("deploy:check never overwrites a file unasked, and then writes none", async () => {
  await using dir = await tempDir();
  const write = (...more: string[]) =>
    runCli(["deploy:check", "netlify", "--write", dir.path, ...more], { env: GOOD });
  const toml = `${dir.path}/netlify.toml`;
  await Deno.writeTextFile(toml, "[build]\n");
  const refused = await write();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing was changed[^]*netlify\.toml/);
  assert.equal(await Deno.readTextFile(toml), "[build]\n");
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["netlify.toml"]);
  assert.match(
    (await write("--force")).stdout,
    /overwritten .*netlify\.toml\n +written .*runnel\.ts/,
  );
  assert.match((await write()).stdout, /same .*netlify\.toml\n +same .*runnel\.ts/);
});

Deno.test("the configuration files for hosts can be read, and name files that are there", async () => {
  await using dir = await tempDir();
  for (const name of ["supabase", "netlify"]) {
    const { code, stderr } = await runCli(["deploy:check", name, "--write", dir.path], {
      env: GOOD,
    });
    assert.equal(code, 0, stderr);
  }
  const isFile = async (path: string) => (await Deno.stat(`${dir.path}/${path}`)).isFile;
  const config = parse(await Deno.readTextFile(`${dir.path}/supabase/config.toml`));
  const tables = Object.entries(config.functions as Record<string, Record<string, unknown>>);
  const names = [...Deno.readDirSync("functions")].map(({ name }) => name.replace(".ts", ""));
  assert.deepEqual(
    tables.map(([name]) => name).sort(),
    [...names.filter((name) => name !== "main"), "runnel"].sort(),
  );
  for (const [name, table] of tables) {
    assert.deepEqual([table.enabled, table.verify_jwt], [true, false], name);
    for (const field of ["entrypoint", "import_map"]) {
      assert.ok(await isFile(`supabase/${table[field]}`), `${name} ${field}`);
    }
  }
  const site = parse(await Deno.readTextFile(`${dir.path}/netlify.toml`));
  assert.deepEqual(site.edge_functions, [{ function: "runnel", path: "/runnel/*" }]);
  const { edge_functions: folder } = site.build as Record<string, string>;
  assert.ok(await isFile(`${folder}/runnel.ts`));
  assert.ok(await isFile((site.functions as Record<string, string>).deno_import_map ?? ""));
});

Deno.test("writeFiles() says what cannot be written", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/file`, "");
  const files = [{ path: "file/below", text: "x" }];
  await assert.rejects(writeFiles(dir.path, files, { overwrite: false }), /^CliError: Cannot /);
});

/** What a host does with a file: it takes the handler that the file serves, or exports. */
function standIn(path: string): string {
  return `
let handler: ((request: Request) => Response | Promise<Response>) | undefined;
const { serve } = Deno;
const take = (given: typeof handler) => void (handler = given);
Object.defineProperty(Deno, "serve", { value: take, configurable: true });
const module = await import(${JSON.stringify(path)});
Object.defineProperty(Deno, "serve", { value: serve });
handler ??= module.default;
if (typeof handler !== "function") throw new Error("The file serves nothing");
const served = handler;
export default { fetch: (request: Request) => served(request) };
`;
}

const options = { ignore: !hasOldDeno };
const CASES = [
  { host: denoDeploy, version: "2.5.7", file: "deno_deploy.ts", prefix: "", all: true },
  {
    host: supabase,
    version: "2.1.14",
    file: "supabase/functions/runnel/index.ts",
    prefix: "/functions/v1/runnel",
    all: true,
  },
  {
    host: supabase,
    version: "2.1.14",
    file: "supabase/functions/publish/index.ts",
    prefix: "/functions/v1",
    all: false,
  },
  {
    host: netlify,
    version: "2.1.14",
    file: "netlify/edge-functions/runnel.ts",
    prefix: "/runnel",
    all: true,
  },
];
for (const { host, version, file, prefix, all } of CASES) {
  Deno.test(
    `${file} for ${host.title} works under Deno ${version} behind "${prefix}/"`,
    options,
    async () => {
      await using redis = await startRedis({ appendonly: false });
      await using dir = await tempDir();
      await runCli(["deploy:check", host.name, "--write", dir.path]);
      await Deno.writeTextFile(`${dir.path}/stand_in.ts`, standIn(`./${file}`));
      await using server = await startServer({
        redisUrl: redis.url,
        deno: await denoBinary(version),
        denoArgs: [
          ...["--no-prompt", "--allow-net", "--allow-env", "--no-lock"],
          ...["--import-map", "import_map.json"],
        ],
        file: `${dir.path}/stand_in.ts`,
        env: { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
        timeoutMs: 60_000,
      });
      const url = `${server.url}${prefix}`;
      const published = await send(`${url}/publish/topic1`, { method: "POST", body: "Hello" });
      assert.equal(published.status, 200, JSON.stringify(published.body));
      if (!all) return;
      const stream = await openStream(`${url}/subscribe/topic1?since=earliest`);
      const events = await stream.until(({ data }) => JSON.parse(data).topic === "topic1");
      assert.equal(JSON.parse(events.at(-1)?.data ?? "").data, "Hello");
      await stream.close();
    },
  );
}
