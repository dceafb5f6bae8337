import assert from "node:assert/strict";
import { CliError } from "../../../lib/cli/cli_error.ts";
import { ManagedRedis } from "../../../lib/cli/redis/managed_redis.ts";
import { isAlive } from "../../../lib/cli/redis/process_table.ts";
import { findRedis } from "../../../lib/cli/redis/redis_binary.ts";
import { spawnRedis } from "../../../lib/cli/redis/redis_process.ts";
import { parseRedisUrl } from "../../../lib/redis/address.ts";
import { identifyRedis } from "../../../lib/redis/identity.ts";
import { until } from "../../_support/until.ts";
import { MemoryTerminal } from "../memory_terminal.ts";

const binary = (await findRedis()).usable!;

async function tempDir(name = "") {
  const root = await Deno.makeTempDir({ prefix: "runnel-managed-" });
  const path = `${root}/${name}`;
  return { path, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

function manage(dataDir: string, terminal = new MemoryTerminal()): Promise<ManagedRedis> {
  return ManagedRedis.start({ dataDir, binary, terminal });
}

/** Runs a command by the plain protocol: what is tested here is reachable with any client. */
async function send(url: string, command: string): Promise<string> {
  const { path, host, port, password } = parseRedisUrl(url);
  using link = path === undefined
    ? await Deno.connect({ hostname: host!, port: port! })
    : await Deno.connect({ transport: "unix", path });
  const auth = password === undefined ? "" : `AUTH ${password}\r\n`;
  await link.write(new TextEncoder().encode(`${auth}${command}\r\nQUIT\r\n`));
  return await new Response(link.readable).text();
}

/** A Redis on the folder as a run that was killed leaves it: nobody's child that anyone waits for. */
async function leaveOrphan(dir: string, { appendfsync = "always" } = {}) {
  await Deno.mkdir(dir, { recursive: true });
  const real = await Deno.realPath(dir);
  const address = { path: `${real}/redis.sock`, tls: false, db: 0 };
  const process = spawnRedis({ binary, address, dir: real, log: `${real}/redis.log` });
  await until(() => identifyRedis(address), { what: "the orphan to answer" });
  await send(`unix:${address.path}`, `CONFIG SET appendfsync ${appendfsync}`);
  await Deno.writeTextFile(`${real}/redis.json`, JSON.stringify({ pid: process.pid, address }));
  return process;
}

Deno.test("ManagedRedis.start() runs a durable Redis on a socket that only this user reaches", async () => {
  await using dir = await tempDir("data é %20");
  await using redis = await manage(dir.path);
  const identity = await identifyRedis(parseRedisUrl(redis.url));
  assert.deepEqual([identity.pid, identity.dir], [redis.pid, await Deno.realPath(dir.path)]);
  assert.deepEqual([identity.appendonly, identity.appendfsync], ["yes", "always"]);
  const settings = await send(redis.url, "CONFIG GET save");
  assert.match(settings, /900 1 300 10 60 10000/);
  assert.match(await send(redis.url, "CONFIG GET port"), /\$4\r\nport\r\n\$1\r\n0/);
  assert.equal((await Deno.stat(`${dir.path}/redis.sock`)).mode! & 0o777, 0o700);
});

Deno.test("ManagedRedis runs in a session of its own, out of the terminal's reach", async () => {
  if (Deno.build.os !== "linux") return;
  await using dir = await tempDir();
  await using redis = await manage(dir.path);
  const stat = await Deno.readTextFile(`/proc/${redis.pid}/stat`);
  const [_state, _parent, group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  assert.deepEqual([Number(group), Number(session)], [redis.pid, redis.pid]);
});

Deno.test("ManagedRedis restarts a Redis that was killed, at the same address with its data", async () => {
  await using dir = await tempDir();
  const terminal = new MemoryTerminal();
  await using redis = await manage(dir.path, terminal);
  const { url } = redis;
  for (let round = 1; round <= 3; round++) {
    await send(url, `SET key${round} ${round}`);
    const { pid } = redis;
    Deno.kill(pid, "SIGKILL");
    await until(() => redis.pid !== pid, { what: "a new process" });
    await until(() => send(url, "PING").then((reply) => reply.startsWith("+PONG")), {
      what: "the new process to answer",
    });
  }
  assert.equal(redis.url, url);
  assert.match(await send(url, "MGET key1 key2 key3"), /\r\n1\r\n\$1\r\n2\r\n\$1\r\n3\r\n/);
  assert.match(terminal.stderr, /ended \(SIGKILL\): starting it again/);
});

/** Kills it and waits until a successor answers. `meanwhile` runs once the restart was seen to fail as `failure` says. */
async function killAndRevive(
  redis: ManagedRedis,
  { terminal, failure, meanwhile }: {
    terminal: MemoryTerminal;
    failure: RegExp;
    meanwhile: () => Promise<void>;
  },
): Promise<void> {
  Deno.kill(redis.pid, "SIGKILL");
  await until(() => failure.test(terminal.stderr), { what: `${failure} to be told` });
  await meanwhile();
  await untilAnswers(redis);
}

function untilAnswers(redis: ManagedRedis): Promise<unknown> {
  return until(() => send(redis.url, "PING").then((reply) => reply.startsWith("+PONG")), {
    what: "a Redis to answer",
    timeoutMs: 20_000,
  });
}

Deno.test("ManagedRedis cuts a write that a kill tore, says so and keeps what it cut", async () => {
  await using dir = await tempDir("data");
  const file = `${dir.path}/appendonlydir/appendonly.aof.1.incr.aof`;
  const torn = "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n*1\r\n$4\r\nEX";
  const tearAndStart = async (terminal: MemoryTerminal, start: () => Promise<unknown>) => {
    const { size } = await Deno.stat(file);
    await Deno.writeTextFile(file, torn, { append: true });
    await start();
    const kept = `${file}.torn-${size}`;
    assert.ok(terminal.stderr.includes(`took the last ${torn.length} bytes`), terminal.stderr);
    assert.ok(terminal.stderr.includes(kept), terminal.stderr);
    assert.equal(await Deno.readTextFile(kept), torn);
    assert.equal((await Deno.readTextFile(file)).includes("half"), false);
  };
  {
    await using redis = await manage(dir.path);
    await send(redis.url, "SET key 1");
  }
  const terminal = new MemoryTerminal();
  let redis: ManagedRedis | undefined;
  await tearAndStart(terminal, async () => redis = await manage(dir.path, terminal));
  await using running = redis!;
  await send(running.url, "SET key 2");
  terminal.errLines.length = 0;
  await tearAndStart(terminal, async () => {
    Deno.kill(running.pid, "SIGKILL");
    await until(() => terminal.stderr.includes("runs again"), { what: "a new process" });
  });
  assert.match(await send(running.url, "MGET key half"), /\r\n2\r\n\$-1/);
});

Deno.test("ManagedRedis starts anew where its folder was removed, and holds that one too", async () => {
  await using dir = await tempDir("data");
  await using redis = await manage(dir.path);
  const { pid } = redis;
  await Deno.remove(dir.path, { recursive: true });
  Deno.kill(pid, "SIGKILL");
  await untilAnswers(redis);
  assert.notEqual(redis.pid, pid);
  await assert.rejects(manage(dir.path), /is using it/);
});

Deno.test("ManagedRedis tries again while its program is away, as in an upgrade", async () => {
  await using dir = await tempDir("data");
  const path = `${dir.path}-redis-server`;
  await Deno.symlink(binary.path, path);
  const terminal = new MemoryTerminal();
  const options = { dataDir: dir.path, binary: { ...binary, path }, terminal };
  await using redis = await ManagedRedis.start(options);
  await Deno.remove(path);
  await killAndRevive(redis, {
    terminal,
    failure: /Cannot start Redis, trying again: [^]*Cannot start Redis, trying again: /,
    meanwhile: () => Deno.symlink(binary.path, path),
  });
});

Deno.test("ManagedRedis leaves no Redis running that it cannot remember", async () => {
  await using dir = await tempDir("data");
  const terminal = new MemoryTerminal();
  await using redis = await manage(dir.path, terminal);
  const record = `${dir.path}/redis.json`;
  await Deno.remove(record);
  await Deno.mkdir(record);
  await killAndRevive(redis, {
    terminal,
    failure: /Cannot start Redis, trying again: .*redis\.json/,
    async meanwhile() {
      const { pid } = redis;
      await until(() => !isAlive(pid), { what: "the end of the one that was started" });
      await Deno.remove(record);
    },
  });
});

Deno.test("ManagedRedis keeps its data from one run to the next and forgets its process", async () => {
  await using dir = await tempDir();
  let pid: number;
  {
    await using redis = await manage(dir.path);
    pid = redis.pid;
    await send(redis.url, "SET kept yes");
  }
  assert.equal(isAlive(pid), false);
  await assert.rejects(Deno.stat(`${dir.path}/redis.json`), Deno.errors.NotFound);
  await using redis = await manage(dir.path);
  assert.match(await send(redis.url, "GET kept"), /yes/);
});

Deno.test("ManagedRedis.start() refuses a folder that another one uses", async () => {
  await using dir = await tempDir();
  await using redis = await manage(dir.path);
  await assert.rejects(manage(dir.path), CliError);
  assert.match(await send(redis.url, "PING"), /PONG/);
});

Deno.test("ManagedRedis.start() adopts an orphan, watches it and stops it", async () => {
  await using dir = await tempDir();
  const orphan = await leaveOrphan(dir.path);
  const terminal = new MemoryTerminal();
  {
    await using redis = await manage(dir.path, terminal);
    assert.equal(redis.pid, orphan.pid);
    assert.match(terminal.stderr, /Adopting the Redis/);
    Deno.kill(orphan.pid, "SIGKILL");
    await until(() => redis.pid !== orphan.pid, { what: "a successor of the orphan" });
    await until(() => send(redis.url, "PING").then((reply) => reply.startsWith("+PONG")));
  }
  await orphan.ended;
});

Deno.test("ManagedRedis.start() adopts an orphan whose record is lost", async () => {
  await using dir = await tempDir();
  const orphan = await leaveOrphan(dir.path);
  await Deno.remove(`${dir.path}/redis.json`);
  {
    await using redis = await manage(dir.path);
    assert.equal(redis.pid, orphan.pid);
  }
  await orphan.ended;
});

Deno.test("ManagedRedis.start() replaces an orphan that is less durable", async () => {
  await using dir = await tempDir();
  const orphan = await leaveOrphan(dir.path, { appendfsync: "everysec" });
  await using redis = await manage(dir.path);
  await orphan.ended;
  assert.notEqual(redis.pid, orphan.pid);
  assert.equal((await identifyRedis(parseRedisUrl(redis.url))).appendfsync, "always");
});

Deno.test("ManagedRedis.start() does not take another process for the Redis of its record", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.path, { recursive: true });
  const address = { path: `${dir.path}/redis.sock`, tls: false, db: 0 };
  await Deno.writeTextFile(`${dir.path}/redis.json`, JSON.stringify({ pid: Deno.pid, address }));
  await using redis = await manage(dir.path);
  assert.notEqual(redis.pid, Deno.pid);
});

Deno.test("ManagedRedis takes a port with a password where the path is too long for a socket", async () => {
  await using dir = await tempDir("d".repeat(120));
  await using redis = await manage(dir.path);
  assert.match(redis.url, /^redis:\/\/:\w{32}@127\.0\.0\.1:\d+$/);
  assert.match(await send(redis.url, "PING"), /PONG/);
  const open = redis.url.replace(/:\w+@/, "");
  assert.match(await send(open, "PING"), /NOAUTH/);
  const line = await Deno.readTextFile(`/proc/${redis.pid}/cmdline`).catch(() => "");
  assert.ok(!line.includes(parseRedisUrl(redis.url).password!));
});

Deno.test("ManagedRedis.start() tells in Redis's words why it does not start", async () => {
  await using dir = await tempDir();
  {
    await using redis = await manage(dir.path);
    await send(redis.url, "SET key value");
  }
  const aof = `${dir.path}/appendonlydir`;
  for await (const { name } of Deno.readDir(aof)) {
    if (name.endsWith(".incr.aof")) {
      await Deno.writeTextFile(`${aof}/${name}`, "nonsense\r\n".repeat(9));
    }
  }
  await assert.rejects(manage(dir.path), (error: unknown) => {
    assert.ok(error instanceof CliError);
    assert.match(error.message, /Cannot start Redis: it ended/);
    assert.match(error.advice.join("\n"), /Bad file format/);
    return true;
  });
  // The folder is free again.
  await Deno.remove(aof, { recursive: true });
  await using _redis = await manage(dir.path);
});

Deno.test("ManagedRedis.start() gives up when its signal aborts, and leaves nothing behind", async () => {
  await using dir = await tempDir();
  const signal = AbortSignal.abort();
  const options = { dataDir: dir.path, binary, terminal: new MemoryTerminal(), signal };
  await assert.rejects(ManagedRedis.start(options), { name: "AbortError" });
  await assert.rejects(Deno.stat(`${dir.path}/redis.json`), Deno.errors.NotFound);
  await using _redis = await manage(dir.path);
});
