import assert from "node:assert/strict";
import { main } from "../../lib/cli/main.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { keyRingKey } from "../../lib/redis/keys.ts";
import { assertProblem, publish } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { reshardTo } from "../_support/reshard.ts";
import { openStream } from "../_support/sse.ts";
import { range } from "../_support/fill.ts";
import { deadline, until } from "../_support/until.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { runCli } from "./run_cli.ts";

const KEY = /^rnk_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}\n$/;
const WITH_KEYS = { RUNNEL_AUTH: "keys" };
const FIELD = keyRingKey("rn");

/** `deno task keys` at some Redis. */
function keysAt(redisUrl: string, env: Readonly<Record<string, string>> = WITH_KEYS) {
  const run = (...args: string[]) =>
    runCli(["keys", ...args], { env: { REDIS_URL: redisUrl, ...env } });
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return {
    run,
    ok,
    /** The key that a command gives out, and nothing else. */
    async key(...args: string[]): Promise<string> {
      const stdout = await ok(...args);
      assert.match(stdout, KEY);
      return stdout.trim();
    },
    /** What `list --json` says. */
    async list(...args: string[]): Promise<Record<string, unknown>[]> {
      const stdout = await ok("list", "--json", ...args);
      return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    },
  };
}

function bearer(key: string) {
  return { authorization: `Bearer ${key}` };
}

function publishAs(key: string, url: string, topic = "orders.new") {
  return publish(url, { topic, data: 1 }, { headers: bearer(key) });
}

async function openAs(key: string, url: string) {
  const stream = await openStream(`${url}/subscribe/orders.new`, { headers: bearer(key) });
  await stream.until("$ready");
  return stream;
}

/** Everything that a Redis has written to its disk. */
async function filesOf({ dir }: RedisServer): Promise<string> {
  const texts: string[] = [];
  const read = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await read(`${path}/${name}`);
      else {
        const bytes = await Deno.readFile(`${path}/${name}`);
        texts.push(new TextDecoder("latin1").decode(bytes));
      }
    }
  };
  await read(dir);
  return texts.join("\n");
}

Deno.test("keys create makes a key that works at once, on a Redis that nobody has used yet", async () => {
  await using redis = await startRedis();
  const keys = keysAt(redis.url);
  const key = await keys.key("create", "ci", "--publish", "orders.*,news", "--subscribe", "**");
  await using runnel = await openRunnel({ redisUrl: redis.url, env: WITH_KEYS });
  assert.equal((await publishAs(key, runnel.url)).status, 200);
  assert.equal((await publishAs(key, runnel.url, "news")).status, 200);
  assertProblem(await publishAs(key, runnel.url, "other"), { status: 403, code: "forbidden" });
  const later = await keys.key("create", "later", "--publish", "other");
  assert.equal((await publishAs(later, runnel.url, "other")).status, 200);
  const views = await keys.list();
  assert.deepEqual(views.map(({ name, state, source }) => [name, state, source]), [
    ["ci", "active", "redis"],
    ["later", "active", "redis"],
  ]);
  assert.deepEqual(views[0]?.publish, ["orders.*", "news"]);
  assert.deepEqual(views[0]?.subscribe, ["**"]);
  assert.equal(views[0]?.id, key.split("_")[1]);
  const shown = await keys.ok("list");
  assert.match(shown, /^ci {2}\w{12} {2}publish orders\.\*,news {2}subscribe \*\* {2}created 20/);
});

Deno.test("keys rotate gives a new text, and the old one is taken for the grace alone", async () => {
  await using redis = await startRedis();
  const keys = keysAt(redis.url);
  const first = await keys.key("create", "ci", "--publish", "**");
  await using runnel = await openRunnel({ redisUrl: redis.url, env: WITH_KEYS });
  assert.equal((await publishAs(first, runnel.url)).status, 200);
  const second = await keys.key("rotate", "ci", "--grace", "1h");
  assert.equal(second.split("_")[1], first.split("_")[1]);
  assert.match(await keys.ok("list"), /its old text is taken until 20/);
  const works = async (key: string) => (await publishAs(key, runnel.url)).status === 200;
  await until(() => works(second), { timeoutMs: 5_000, what: "the new text" });
  assert.ok(await works(first));
  const third = await keys.key("rotate", "ci");
  await until(() => works(third), { timeoutMs: 5_000, what: "the newest text" });
  for (const old of [first, second]) {
    assertProblem(await publishAs(old, runnel.url), { status: 401, code: "invalid_token" });
  }
  assert.doesNotMatch(await keys.ok("list"), /old text/);
});

Deno.test("keys revoke ends a key and its streams within five seconds", async () => {
  await using redis = await startRedis();
  const keys = keysAt(redis.url);
  const grants = ["--publish", "**", "--subscribe", "**"];
  const key = await keys.key("create", "ci", ...grants);
  const other = await keys.key("create", "other", ...grants);
  await using runnel = await openRunnel({ redisUrl: redis.url, env: WITH_KEYS });
  await using stream = await openAs(key, runnel.url);
  await using stays = await openAs(other, runnel.url);
  const ended = stream.rest();
  const id = key.split("_")[1] ?? "";
  assert.match(await keys.ok("revoke", id), /^ci is revoked/);
  const last = (await deadline(ended, 5_000, "the stream's end")).at(-1);
  assert.equal(last?.event, "$bye");
  assert.equal(JSON.parse(last?.data ?? "").reason, "auth_revoked");
  assertProblem(await publishAs(key, runnel.url), { status: 401, code: "invalid_token" });
  assert.deepEqual((await keys.list()).map(({ name }) => name), ["other"]);
  const all = await keys.list("--all");
  assert.deepEqual(all.map(({ name, state }) => [name, state]), [["ci", "revoked"], [
    "other",
    "active",
  ]]);
  await publishAs(other, runnel.url);
  assert.equal((await stays.messages(1)).length, 1);
  assert.match(await keys.ok("revoke", "ci"), /^ci is revoked/);
  const again = await keys.key("create", "ci", "--publish", "**");
  assert.notEqual(again.split("_")[1], id);
});

Deno.test("keys leaves nothing but hashes in Redis, and Runnel none in its log", async () => {
  await using redis = await startRedis();
  const keys = keysAt(redis.url);
  const first = await keys.key("create", "ci", "--publish", "**");
  const second = await keys.key("rotate", "ci", "--grace", "1h");
  await using runnel = await openRunnel({ redisUrl: redis.url, env: WITH_KEYS });
  for (const key of [first, second]) assert.equal((await publishAs(key, runnel.url)).status, 200);
  const written = await filesOf(redis);
  assert.equal(written.match(/"hash":"sha256:/g)?.length, 3);
  for (const key of [first, second]) {
    const secret = key.slice("rnk_".length + 12 + "_".length);
    for (const text of [written, await keys.ok("list", "--json"), runnel.logs.join("\n")]) {
      assert.ok(!text.includes(secret));
    }
  }
});

Deno.test("keys create --print asks no Redis, and what it prints works as RUNNEL_KEYS", async () => {
  const options = ["--publish", "**", "--print"];
  const { code, stdout, stderr } = await runCli(["keys", "create", "ci", ...options]);
  assert.equal(code, 0, stderr);
  const [key = ""] = /rnk_\w{12}_[\w-]{43}/.exec(stderr) ?? [];
  assert.ok(!stdout.includes("rnk_"));
  const path = await Deno.makeTempFile({ prefix: "runnel-keys-" });
  await Deno.writeTextFile(path, stdout);
  await using redis = await startRedis({ appendonly: false });
  for (const RUNNEL_KEYS of [stdout, path]) {
    const env = { ...WITH_KEYS, RUNNEL_KEYS };
    const { code, stdout: listed } = await runCli(["keys", "list"], {
      env: { REDIS_URL: redis.url, ...env },
    });
    assert.equal(code, 0);
    assert.match(listed, /^ci .*in RUNNEL_KEYS/);
  }
  await Deno.remove(path);
  const env = { ...WITH_KEYS, RUNNEL_KEYS: stdout };
  await using runnel = await openRunnel({ redisUrl: redis.url, env });
  assert.equal((await publishAs(key, runnel.url)).status, 200);
  const keys = keysAt(redis.url, env);
  const wrong = await keys.run("revoke", "ci");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /There is no key ci in Redis\n.*It is in RUNNEL_KEYS/);
  assert.equal((await keys.run("create", "ci", "--publish", "x")).code, 1);
});

interface Servers extends AsyncDisposable {
  readonly all: readonly RedisServer[];
  /** As `REDIS_URL` takes them. */
  readonly urls: string;
}

async function startServers(count: number): Promise<Servers> {
  await using stack = new AsyncDisposableStack();
  const all = await Promise.all(range(0, count).map(() => startRedis({ appendonly: false })));
  for (const server of all) stack.use(server);
  const moved = stack.move();
  return {
    all,
    urls: all.map(({ url }) => url).join(" "),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** How many keys each Redis knows, those that were revoked among them. */
function countsOf({ all }: Servers): Promise<string[]> {
  return Promise.all(all.map((server) => server.cli("HLEN", FIELD)));
}

Deno.test("keys are on every shard, and come back where one was emptied", async () => {
  await using shards = await startServers(3);
  const keys = keysAt(shards.urls);
  const gone = await keys.key("create", "gone", "--publish", "**");
  assert.deepEqual(await countsOf(shards), ["1", "1", "1"]);
  await keys.ok("revoke", "gone");
  for (const server of shards.all) assert.doesNotMatch(await server.cli("HVALS", FIELD), /sha256/);
  const key = await keys.key("create", "ci", "--publish", "**");
  assert.deepEqual(await countsOf(shards), ["2", "2", "2"]);
  await using runnel = await openRunnel({ redisUrl: shards.urls, env: WITH_KEYS });
  assert.equal((await publishAs(key, runnel.url)).status, 200);
  await shards.all[1]?.cli("FLUSHALL");
  const isBack = async () => `${await countsOf(shards)}` === "2,2,2";
  await until(isBack, { what: "the keys on the Redis that was emptied" });
  assert.equal((await publishAs(key, runnel.url)).status, 200);
  assert.equal((await publishAs(gone, runnel.url)).status, 401);
});

Deno.test("keys work after a reshard, when the Redis are gone that they were made on", async () => {
  await using before = await startServers(1);
  await using after = await startServers(2);
  const keys = keysAt(before.urls);
  const key = await keys.key("create", "ci", "--publish", "**");
  const gone = await keys.key("create", "gone", "--publish", "**");
  await keys.ok("revoke", "gone");
  await using runnel = await openRunnel({ redisUrl: before.urls, env: WITH_KEYS });
  assert.equal((await publishAs(key, runnel.url)).status, 200);
  await reshardTo({ from: before.urls.split(" "), to: after.urls.split(" ") });
  assert.deepEqual(await countsOf(after), ["2", "2"]);
  for (const server of before.all) await server.kill9();
  await using later = await openRunnel({ redisUrl: after.urls, env: WITH_KEYS });
  for (const { url } of [runnel, later]) {
    await until(async () => (await publishAs(key, url)).status === 200, { what: "the key" });
    assert.equal((await publishAs(gone, url)).status, 401);
  }
  const names = (await keysAt(after.urls).list()).map(({ name }) => name);
  assert.deepEqual(names, ["ci"]);
});

Deno.test("keys says which Redis could not be told, and completes it the next time", async () => {
  await using a = await startRedis();
  await using b = await startRedis();
  const keys = keysAt(`${a.url} ${b.url}`);
  const key = await keys.key("create", "ci", "--publish", "**");
  await b.kill9();
  const made = await keys.run("create", "late", "--publish", "**");
  assert.equal(made.code, 1);
  assert.match(made.stdout, KEY);
  assert.match(made.stderr, new RegExp(`Not every Redis could be told\\n.*:${b.port}/0: Redis`));
  assert.match(made.stderr, /deno task keys list/);
  const half = await keys.run("revoke", "ci");
  assert.equal(half.code, 1);
  assert.match(half.stderr, /deno task keys revoke ci/);
  await b.restart();
  // before anybody else reads it
  const stale = await b.cli("HGET", FIELD, key.split("_")[1] ?? "");
  assert.match(stale, /sha256/);
  assert.match(await keys.ok("revoke", "ci"), /^ci is revoked/);
  assert.doesNotMatch(await b.cli("HGET", FIELD, key.split("_")[1] ?? ""), /sha256/);
  assert.equal(await b.cli("HLEN", FIELD), "2");
  await using runnel = await openRunnel({ redisUrl: b.url, env: WITH_KEYS });
  assert.equal((await publishAs(key, runnel.url)).status, 401);
  assert.equal((await publishAs(made.stdout.trim(), runnel.url)).status, 200);
});

Deno.test("keys changes nothing where Redis cannot be reached or found, and says why", async () => {
  const port = freePort();
  const { code, stdout, stderr } = await keysAt(`redis://127.0.0.1:${port}`)
    .run("create", "ci", "--publish", "**");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}\\b.*(listens|refused)`));
  assert.match(stderr, /Nothing has changed/);
  const empty = await Deno.makeTempDir({ prefix: "runnel-keys-" });
  const lost = await runCli(["keys", "list"], { env: { RUNNEL_DATA_DIR: empty } });
  await Deno.remove(empty);
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /Cannot find Redis\n.*REDIS_URL.*deno task start/);
});

Deno.test("keys refuses a wrong call with exit code 2, before it asks Redis", async (t) => {
  const calls: readonly [args: string[], said: RegExp][] = [
    [[], /Something is missing/],
    [["frob"], /Cannot frob keys/],
    [["constructor"], /Cannot constructor keys/],
    [["create"], /name of the key is missing/],
    [["list", "ci"], /Cannot make sense of "ci"/],
    [["list", "--publish", "x"], /Cannot use --publish with keys list/],
    [["revoke", "ci", "--grace", "1h"], /Cannot use --grace with keys revoke/],
    [["create", "ci"], /may do nothing/],
    [["create", "ci", "--publish", "a b"], /--publish "a b": .*white space/],
    [["create", "ci", "--publish", "a", "--consume", "b,,c"], /--consume "": .*one character/],
    [["create", "a/b", "--publish", "a"], /"a\/b": Must be 1 to 64 of A-Z/],
    [["create", "ci", "--publish", "user.{sub}"], /\{sub\} in --publish: only tokens/],
    [["create", "ci", "--manage", "--expires", "soon"], /--expires soon: it takes a duration/],
    [["create", "ci", "--manage", "--expires", "0s"], /--expires 0s/],
    [["create", "ci", "--manage", "--expires", "999999999d"], /--expires 999999999d/],
    [["rotate", "ci", "--grace", "0s"], /--grace 0s/],
  ];
  for (const [args, said] of calls) {
    await t.step(args.join(" "), async () => {
      const terminal = new MemoryTerminal();
      assert.equal(await main(["keys", ...args], terminal), 2);
      assert.match(terminal.stderr, said);
      assert.equal(terminal.stdout, "");
    });
  }
});

Deno.test("keys refuses a name that is taken, and one that is not there", async () => {
  await using redis = await startRedis({ appendonly: false });
  const keys = keysAt(redis.url);
  await keys.key("create", "ci", "--publish", "**");
  const taken = await keys.run("create", "ci", "--publish", "**");
  assert.deepEqual([taken.code, taken.stdout], [1, ""]);
  assert.match(taken.stderr, /There is a key ci already\n.*keys rotate ci/);
  for (const action of ["rotate", "revoke"]) {
    const { code, stdout, stderr } = await keys.run(action, "nobody");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /There is no key nobody in Redis/);
  }
  assert.equal(await redis.cli("HLEN", FIELD), "1");
});

Deno.test("keys asks which is meant where two processes have made a name at once", async () => {
  await using redis = await startRedis({ appendonly: false });
  const keys = keysAt(redis.url);
  const [, id = ""] = (await keys.key("create", "ci", "--publish", "**")).split("_");
  const twin = "twin".padEnd(12, "0");
  const text = await redis.cli("HGET", FIELD, id);
  await redis.cli("HSET", FIELD, twin, text.replaceAll(id, twin));
  const unclear = await keys.run("revoke", "ci");
  assert.equal(unclear.code, 1);
  for (const one of [id, twin]) assert.ok(unclear.stderr.includes(one));
  await keys.ok("revoke", twin);
  assert.deepEqual((await keys.list()).map((key) => key.id), [id]);
  await keys.ok("revoke", "ci");
  assert.deepEqual(await keys.list(), []);
});

Deno.test("keys create --expires ends a key, and rotate gives it a new end", async () => {
  await using redis = await startRedis({ appendonly: false });
  const keys = keysAt(redis.url);
  const brief = await keys.key("create", "brief", "--publish", "**", "--expires", "1ms");
  await using runnel = await openRunnel({ redisUrl: redis.url, env: WITH_KEYS });
  assert.equal((await publishAs(brief, runnel.url)).status, 401);
  assert.deepEqual((await keys.list()).map(({ state }) => state), ["expired"]);
  const over = await keys.run("rotate", "brief");
  assert.deepEqual([over.code, over.stdout], [1, ""]);
  assert.match(over.stderr, /has expired\n.*--expires 30d/);
  const longer = await keys.key("rotate", "brief", "--expires", "30d");
  const works = async () => (await publishAs(longer, runnel.url)).status === 200;
  await until(works, { timeoutMs: 5_000, what: "the key with a new end" });
});

Deno.test("keys says so where servers with this environment take no keys", async () => {
  await using redis = await startRedis({ appendonly: false });
  const create = ["create", "ci", "--publish", "**"];
  const without = await keysAt(redis.url, {}).run(...create);
  assert.match(without.stdout, KEY);
  assert.match(without.stderr, /RUNNEL_AUTH does not name keys here/);
  const { stderr } = await keysAt(redis.url).run("rotate", "ci");
  assert.doesNotMatch(stderr, /RUNNEL_AUTH/);
});
