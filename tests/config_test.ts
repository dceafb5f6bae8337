import assert from "node:assert/strict";
import fc from "fast-check";
import { CERT, KEY } from "./_support/pem.ts";
import { ConfigError, loadConfig, type VariableName, VARIABLES } from "../lib/config.ts";

type Variables = Partial<Record<VariableName, string>>;

const BROKEN = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const FILES: Record<string, string> = { "/ca.pem": CERT, "/cert.pem": CERT, "/key.pem": KEY };

function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Deno.errors.NotFound(`no such file: ${path}`);
  return text;
}

function load(variables: Variables) {
  return loadConfig((name) => variables[name as VariableName], readFile);
}

/** What is wrong, by variable. */
function problemsOf(variables: Variables): Record<string, string> {
  try {
    load(variables);
  } catch (error) {
    assert(error instanceof ConfigError);
    return Object.fromEntries(error.problems.map(({ variable, detail }) => [variable, detail]));
  }
  return {};
}

Deno.test("loadConfig() has a default for everything", () => {
  assert.deepEqual(load({}), {
    server: { host: "127.0.0.1", port: 8000 },
    redis: undefined,
    partitions: undefined,
    prefix: "rn",
    dataDir: ".runnel",
    retention: { maxMessages: 100_000, maxAgeMs: undefined },
    backlogFactor: 10,
    idempotencyMs: 86_400_000,
    limits: {
      bodyBytes: 1_048_576,
      messageBytes: undefined,
      headerBytes: undefined,
      batch: undefined,
      topicBytes: 512,
      topics: 200,
      streams: undefined,
      streamsOfOne: undefined,
      openRequests: undefined,
      leased: undefined,
      publishRate: undefined,
    },
    stream: { heartbeatMs: 15_000, seconds: undefined },
    auth: { mode: "none", allowOpen: false },
    corsOrigins: [],
    logLevel: "info",
    url: "http://127.0.0.1:8000",
    token: undefined,
  });
});

Deno.test("loadConfig() reads every variable", () => {
  const config = load({
    PORT: "0",
    HOST: "::1",
    TLS_CERT: "/cert.pem",
    TLS_KEY: KEY,
    REDIS_URL: "rediss://h:7000/2",
    REDIS_USERNAME: "u",
    REDIS_PASSWORD: "p",
    REDIS_CONNECTIONS: "2",
    REDIS_CONNECT_TIMEOUT_MS: "10",
    REDIS_COMMAND_TIMEOUT_MS: "20",
    REDIS_TLS_CA: "/ca.pem",
    REDIS_TLS_CERT: CERT,
    REDIS_TLS_KEY: "/key.pem",
    REDIS_TLS_SERVERNAME: "redis.test",
    RUNNEL_PREFIX: "app:1",
    RUNNEL_PARTITIONS: "32",
    RUNNEL_DATA_DIR: "/data",
    RUNNEL_MAX_MESSAGES: "10",
    RUNNEL_MAX_AGE_MS: "1000",
    RUNNEL_BACKLOG_FACTOR: "3",
    RUNNEL_IDEMPOTENCY_MS: "2000",
    RUNNEL_MAX_BODY_BYTES: "4096",
    RUNNEL_MAX_MESSAGE_BYTES: "2048",
    RUNNEL_MAX_HEADER_BYTES: "0",
    RUNNEL_MAX_BATCH: "4",
    RUNNEL_MAX_TOPIC_BYTES: "64",
    RUNNEL_MAX_TOPICS: "3",
    RUNNEL_MAX_STREAMS: "5",
    RUNNEL_MAX_STREAMS_PER_IDENTITY: "6",
    RUNNEL_MAX_OPEN_REQUESTS: "7",
    RUNNEL_MAX_LEASED: "8",
    RUNNEL_PUBLISH_RATE: "9",
    RUNNEL_HEARTBEAT_MS: "500",
    RUNNEL_STREAM_SECONDS: "30",
    RUNNEL_AUTH: "open",
    RUNNEL_ALLOW_OPEN: "1",
    RUNNEL_CORS_ORIGINS: "https://A.example, http://localhost:3000",
    LOG_LEVEL: "debug",
    RUNNEL_URL: "https://runnel.example/api/",
  });
  assert.deepEqual(config, {
    server: { host: "::1", port: 0, tls: { cert: CERT, key: KEY } },
    redis: [{
      address: { host: "h", port: 7000, tls: true, username: "u", password: "p", db: 2 },
      connections: 2,
      connectTimeoutMs: 10,
      commandTimeoutMs: 20,
      tls: { ca: CERT, cert: CERT, key: KEY, servername: "redis.test" },
    }],
    partitions: 32,
    prefix: "app:1",
    dataDir: "/data",
    retention: { maxMessages: 10, maxAgeMs: 1000 },
    backlogFactor: 3,
    idempotencyMs: 2000,
    limits: {
      bodyBytes: 4096,
      messageBytes: 2048,
      headerBytes: 0,
      batch: 4,
      topicBytes: 64,
      topics: 3,
      streams: 5,
      streamsOfOne: 6,
      openRequests: 7,
      leased: 8,
      publishRate: 9,
    },
    stream: { heartbeatMs: 500, seconds: 30 },
    auth: { mode: "open", allowOpen: true },
    corsOrigins: ["https://a.example", "http://localhost:3000"],
    logLevel: "debug",
    url: "https://runnel.example/api",
    token: undefined,
  });
});

Deno.test("loadConfig() reads exactly the variables of the table, whose defaults it uses", () => {
  const read = new Set<string>();
  loadConfig((name) => void read.add(name));
  assert.deepEqual([...read].sort(), VARIABLES.map(({ name }) => name).sort());
  const defaults = Object.fromEntries(VARIABLES.map((row) => [row.name, row.default]));
  assert.deepEqual(loadConfig((name) => defaults[name]), load({}));
});

Deno.test("loadConfig() takes an empty variable as unset", () => {
  const empty = Object.fromEntries(VARIABLES.map(({ name }) => [name, " "]));
  assert.deepEqual(load(empty), load({}));
});

Deno.test("loadConfig() reports all problems at once, by the variable's name", () => {
  const problems = problemsOf({
    PORT: "eighty",
    HOST: "a b",
    TLS_CERT: "/cert.pem",
    REDIS_URL: "http://h",
    REDIS_CONNECTIONS: "0",
    REDIS_COMMAND_TIMEOUT_MS: "1.5",
    RUNNEL_PREFIX: "{a}",
    RUNNEL_MAX_MESSAGES: "-1",
    RUNNEL_MAX_TOPIC_BYTES: "513",
    RUNNEL_PUBLISH_RATE: "0",
    RUNNEL_STREAM_SECONDS: "1e3",
    RUNNEL_AUTH: "jwt",
    RUNNEL_ALLOW_OPEN: "yes",
    RUNNEL_CORS_ORIGINS: "https://a.example/path",
    LOG_LEVEL: "loud",
    RUNNEL_URL: "ftp://h",
  });
  assert.deepEqual(Object.keys(problems).sort(), [
    "HOST",
    "LOG_LEVEL",
    "PORT",
    "REDIS_COMMAND_TIMEOUT_MS",
    "REDIS_CONNECTIONS",
    "REDIS_URL",
    "RUNNEL_ALLOW_OPEN",
    "RUNNEL_AUTH",
    "RUNNEL_CORS_ORIGINS",
    "RUNNEL_MAX_MESSAGES",
    "RUNNEL_MAX_TOPIC_BYTES",
    "RUNNEL_PREFIX",
    "RUNNEL_PUBLISH_RATE",
    "RUNNEL_STREAM_SECONDS",
    "RUNNEL_URL",
    "TLS_KEY",
  ]);
});

Deno.test("loadConfig() takes PEM text with its line breaks written as \\n", () => {
  const inline = CERT.trim().replaceAll("\n", "\\n");
  const config = load({ TLS_CERT: inline, TLS_KEY: "/key.pem" });
  assert.equal(config.server.tls?.cert, CERT);
});

Deno.test("loadConfig() refuses a PEM variable that is neither PEM nor a path to it", async (t) => {
  await t.step("a file that cannot be read", () => {
    const problems = problemsOf({ TLS_CERT: "/none.pem", TLS_KEY: "/key.pem" });
    assert.deepEqual(Object.keys(problems), ["TLS_CERT"]);
    assert.match(problems["TLS_CERT"] ?? "", /NotFound/);
  });
  await t.step("a certificate that cannot be read, be it one of several", () => {
    const common = { TLS_KEY: "/key.pem", REDIS_URL: "rediss://h" };
    for (const ca of [BROKEN, `${CERT}${BROKEN}`]) {
      const problems = problemsOf({ ...common, REDIS_TLS_CA: ca, TLS_CERT: BROKEN });
      assert.deepEqual(Object.keys(problems).sort(), ["REDIS_TLS_CA", "TLS_CERT"]);
      assert.match(problems["REDIS_TLS_CA"] ?? "", /certificate that cannot be read/);
    }
  });
  await t.step("a key where a certificate belongs", () => {
    assert.deepEqual(Object.keys(problemsOf({ TLS_CERT: "/key.pem", TLS_KEY: "/key.pem" })), [
      "TLS_CERT",
    ]);
  });
});

Deno.test("loadConfig() refuses options that cannot be honoured", async (t) => {
  await t.step("credentials and TLS without a Redis", () => {
    const variables = { REDIS_PASSWORD: "p", REDIS_TLS_CA: "/ca.pem" };
    assert.deepEqual(Object.keys(problemsOf(variables)), ["REDIS_PASSWORD", "REDIS_TLS_CA"]);
  });
  await t.step("TLS material for a Redis without TLS", () => {
    const variables = { REDIS_URL: "redis://h", REDIS_TLS_SERVERNAME: "h" };
    assert.deepEqual(Object.keys(problemsOf(variables)), ["REDIS_TLS_SERVERNAME"]);
  });
  await t.step("two different passwords", () => {
    assert.deepEqual(load({ REDIS_URL: "redis://:p@h", REDIS_PASSWORD: "p" }).redis?.[0]?.address, {
      host: "h",
      port: 6379,
      tls: false,
      password: "p",
      db: 0,
    });
    const variables = { REDIS_URL: "redis://:p@h", REDIS_PASSWORD: "q" };
    assert.deepEqual(Object.keys(problemsOf(variables)), ["REDIS_PASSWORD"]);
  });
  await t.step("a user without a password", () => {
    assert.deepEqual(Object.keys(problemsOf({ REDIS_URL: "redis://u@h" })), ["REDIS_URL"]);
    const variables = { REDIS_URL: "redis://h", REDIS_USERNAME: "u" };
    assert.deepEqual(Object.keys(problemsOf(variables)), ["REDIS_USERNAME"]);
  });
  await t.step("a certificate without its key, and a key without its certificate", () => {
    const url = "rediss://h";
    assert.deepEqual(Object.keys(problemsOf({ REDIS_URL: url, REDIS_TLS_CERT: CERT })), [
      "REDIS_TLS_KEY",
    ]);
    assert.deepEqual(Object.keys(problemsOf({ REDIS_URL: url, REDIS_TLS_KEY: KEY })), [
      "REDIS_TLS_CERT",
    ]);
  });
});

Deno.test("loadConfig() reads several Redis, with the same user and password for all", () => {
  const { redis } = load({ REDIS_URL: "redis://a  rediss://b:7000", REDIS_PASSWORD: "p" });
  assert.deepEqual(redis?.map(({ address }) => address), [
    { host: "a", port: 6379, tls: false, password: "p", db: 0 },
    { host: "b", port: 7000, tls: true, password: "p", db: 0 },
  ]);
});

Deno.test("loadConfig() gives Sentinels their own user and TLS, or what Redis has", async (t) => {
  const sentinelOf = (variables: Variables) => load(variables).redis?.[0]?.sentinel;
  const plain = "redis+sentinel://a,b/set", secure = "rediss+sentinel://a,b/set";
  await t.step("nothing where nothing is given", () => {
    assert.deepEqual(sentinelOf({ REDIS_URL: plain }), {});
  });
  await t.step("their own user, not that of Redis", () => {
    const own = { REDIS_SENTINEL_USERNAME: "u", REDIS_SENTINEL_PASSWORD: "s" };
    assert.deepEqual(sentinelOf({ REDIS_URL: plain, REDIS_PASSWORD: "p", ...own }), {
      username: "u",
      password: "s",
    });
  });
  await t.step("the TLS of Redis", () => {
    const variables: Variables = { REDIS_URL: secure, REDIS_TLS_CA: "/ca.pem" };
    assert.deepEqual(sentinelOf(variables), { tls: { ca: CERT } });
    assert.deepEqual(sentinelOf({ ...variables, REDIS_SENTINEL_TLS: "0" }), {});
  });
  await t.step("TLS of their own beside a Redis without", () => {
    const variables: Variables = { REDIS_URL: plain, REDIS_SENTINEL_TLS: "1" };
    const own = { ...variables, REDIS_SENTINEL_TLS_CA: CERT, REDIS_SENTINEL_TLS_SERVERNAME: "s" };
    assert.deepEqual(sentinelOf(own), { tls: { ca: CERT, servername: "s" } });
    assert.equal(load(own).redis?.[0]?.tls, undefined);
  });
});

Deno.test("loadConfig() refuses Redis servers that cannot stand together", () => {
  const refused = (url: string) => problemsOf({ REDIS_URL: url }).REDIS_URL ?? "";
  assert.match(refused("redis://a redis+cluster://b"), /a Cluster stands alone/);
  assert.match(refused("redis://a redis://b redis://a:6379"), /twice/);
  assert.match(refused("redis://a/1 redis://b/2"), /different databases/);
  assert.equal(refused("redis://a redis+sentinel://b/set"), "");
});

Deno.test("loadConfig() refuses what is for Sentinels where there are none, or no TLS to them", () => {
  const password: Variables = { REDIS_URL: "redis://a", REDIS_SENTINEL_PASSWORD: "s" };
  assert.deepEqual(Object.keys(problemsOf(password)), ["REDIS_SENTINEL_PASSWORD"]);
  const ca: Variables = { REDIS_URL: "redis+sentinel://a/set", REDIS_SENTINEL_TLS_CA: CERT };
  assert.deepEqual(Object.keys(problemsOf(ca)), ["REDIS_SENTINEL_TLS_CA"]);
  const user: Variables = { REDIS_URL: "redis+sentinel://a/set", REDIS_SENTINEL_USERNAME: "u" };
  assert.deepEqual(Object.keys(problemsOf(user)), ["REDIS_SENTINEL_USERNAME"]);
});

Deno.test("loadConfig() takes a power of two for the partitions", () => {
  for (const count of ["1", "2", "64"]) {
    assert.equal(load({ RUNNEL_PARTITIONS: count }).partitions, Number(count));
  }
  for (const count of ["0", "3", "128"]) {
    assert.deepEqual(Object.keys(problemsOf({ RUNNEL_PARTITIONS: count })), ["RUNNEL_PARTITIONS"]);
  }
});

Deno.test("loadConfig() never says a value, whatever stands in whichever variable", () => {
  const names = VARIABLES.map(({ name }) => name);
  const shape = fc.constantFrom(
    "s3cr3t",
    "redis://:s3cr3t",
    "redis://u:s3cr3t@h:x",
    "http://s3cr3t?a",
  );
  fc.assert(fc.property(fc.subarray(names), shape, (chosen, value) => {
    const variables = Object.fromEntries(chosen.map((name) => [name, value]));
    try {
      load(variables);
    } catch (error) {
      assert(error instanceof ConfigError);
      assert.doesNotMatch(error.message + JSON.stringify(error.problems), /s3cr3t/);
    }
  }));
});

Deno.test("VARIABLES says what each variable does, in one line", () => {
  for (const { name, meaning } of VARIABLES) {
    assert.match(name, /^[A-Z][A-Z_]+$/);
    assert.match(meaning, /^[^\n|]{10,120}$/, name);
  }
});

Deno.test("README has the table of VARIABLES", async () => {
  const text = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const [, table = ""] = /<!-- variables -->([^]*)<!-- \/variables -->/.exec(text) ?? [];
  const cells = table.trim().split("\n").slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const wanted = VARIABLES.map((row) => [
    `\`${row.name}\``,
    row.meaning,
    row.default === undefined ? "" : `\`${row.default}\``,
  ]);
  assert.deepEqual(cells, wanted);
});
