import { z } from "zod";
import { type ConfigProblem, type Variable, VariableReader } from "./config_reader.ts";
import { type ApiKey, apiKeySchema } from "./codec/api_key.ts";
import { PARTITIONS_MOST } from "./codec/cursor.ts";
import { algorithmOf, JWT_ALGORITHMS, type JwtAlgorithm } from "./codec/jwt_algorithm.ts";
import { TOPIC_BYTES } from "./codec/topic.ts";
import { describeRedisAddress, parseRedisUrl } from "./redis/address.ts";
import type { RedisAddress, RedisOptions, RedisTls, SentinelOptions } from "./redis/options.ts";

/** Every environment variable that Runnel reads. The README's table is made from this one. */
export const VARIABLES = [
  variable("PORT", "Port of Runnel's own server; 0 takes a free one", "8000"),
  variable("HOST", "Address that Runnel's own server listens on", "127.0.0.1"),
  variable("TLS_CERT", "Certificate of Runnel's own server: a path, or the PEM text itself"),
  variable("TLS_KEY", "Private key of that certificate: a path, or the PEM text itself"),
  variable(
    "REDIS_URL",
    "Address of Redis, of its Sentinels or its Cluster, or several Redis; unset, `deno task start` runs its own Redis",
  ),
  variable("REDIS_USERNAME", "ACL user, where it is not in the URL"),
  variable("REDIS_PASSWORD", "Password, where it is not in the URL"),
  variable(
    "REDIS_CONNECTIONS",
    "Command connections of a process to each Redis; it has one more to listen",
    "4",
  ),
  variable("REDIS_CONNECT_TIMEOUT_MS", "Longest wait for a connection", "1000"),
  variable("REDIS_COMMAND_TIMEOUT_MS", "Longest wait for a reply", "1500"),
  variable("REDIS_TLS_CA", "Authorities to trust for `rediss://`: a path, or the PEM text itself"),
  variable("REDIS_TLS_CERT", "Client certificate: a path, or the PEM text itself"),
  variable("REDIS_TLS_KEY", "Private key of that certificate: a path, or the PEM text itself"),
  variable(
    "REDIS_TLS_SERVERNAME",
    "Name in the certificate of Redis, where it is not the URL's host",
  ),
  variable("REDIS_SENTINEL_USERNAME", "ACL user of the Sentinels, which have users of their own"),
  variable("REDIS_SENTINEL_PASSWORD", "Password of the Sentinels"),
  variable(
    "REDIS_SENTINEL_TLS",
    "`1` speaks TLS to the Sentinels, `0` does not; unset, as to Redis itself",
  ),
  variable(
    "REDIS_SENTINEL_TLS_CA",
    "Authorities to trust for Sentinels; unset, with the next three, as for Redis",
  ),
  variable("REDIS_SENTINEL_TLS_CERT", "Client certificate for Sentinels"),
  variable("REDIS_SENTINEL_TLS_KEY", "Private key of that certificate"),
  variable("REDIS_SENTINEL_TLS_SERVERNAME", "Name in the certificates of the Sentinels"),
  variable("RUNNEL_PREFIX", "What every key in Redis starts with", "rn"),
  variable(
    "RUNNEL_PARTITIONS",
    "Partitions of a new deployment, a power of two up to 64; unset, 1 on one Redis and 16 on several",
  ),
  variable("RUNNEL_DATA_DIR", "Folder of the Redis that `deno task start` runs", ".runnel"),
  variable("RUNNEL_MAX_MESSAGES", "Messages kept per topic", "100000"),
  variable("RUNNEL_MAX_AGE_MS", "Age at which messages are dropped; unset, they have none"),
  variable(
    "RUNNEL_BACKLOG_FACTOR",
    "A topic takes no more when a group's open work is so many times what the topic keeps",
    "10",
  ),
  variable("RUNNEL_IDEMPOTENCY_MS", "How long an idempotency key is remembered", "86400000"),
  variable("RUNNEL_MAX_BODY_BYTES", "Largest body, and largest line of an NDJSON body", "1048576"),
  variable(
    "RUNNEL_MAX_MESSAGE_BYTES",
    "Largest message as JSON, with its headers; unset, as the next ones, there is no limit",
  ),
  variable("RUNNEL_MAX_HEADER_BYTES", "Largest `headers` of a message, names and values together"),
  variable("RUNNEL_MAX_BATCH", "Messages of a batch that is one JSON document"),
  variable("RUNNEL_MAX_TOPIC_BYTES", "Longest name of a topic, and longest pattern", "512"),
  variable("RUNNEL_MAX_TOPICS", "Topics and patterns of one subscription", "200"),
  variable("RUNNEL_MAX_STREAMS", "Open streams of a process; unset, there is no limit"),
  variable(
    "RUNNEL_MAX_STREAMS_PER_IDENTITY",
    "Open streams of an identity at one process; unset, there is no limit",
  ),
  variable(
    "RUNNEL_MAX_OPEN_REQUESTS",
    "Open `POST /request` of an identity at one process; unset, there is no limit",
  ),
  variable(
    "RUNNEL_MAX_LEASED",
    "Most messages of one pull, and that a group's stream holds at a time; unset, 1000",
  ),
  variable(
    "RUNNEL_PUBLISH_RATE",
    "Messages that an identity may publish in a second, over all instances; unset, there is no limit",
  ),
  variable("RUNNEL_HEARTBEAT_MS", "Time between heartbeats on a stream", "15000"),
  variable(
    "RUNNEL_STREAM_SECONDS",
    "Ends streams with `$bye` after this time, before a host cuts them; unset, they have no end",
  ),
  variable(
    "RUNNEL_AUTH",
    "Who is let in: `jwt`, `keys`, or `jwt,keys`; `open` lets in everybody; unset, nobody",
  ),
  variable(
    "RUNNEL_ALLOW_OPEN",
    "`1` acknowledges `RUNNEL_AUTH=open` where others reach the server",
    "0",
  ),
  variable("RUNNEL_JWT_SECRET", "Secret that tokens are signed with (HS256), of 32 bytes or more"),
  variable(
    "RUNNEL_JWT_PUBLIC_KEY",
    "Public keys that tokens are verified with (RS256, ES256, EdDSA): a path, or the PEM text itself",
  ),
  variable("RUNNEL_JWKS_URL", "Where the key set is that tokens are verified with"),
  variable(
    "RUNNEL_JWT_ALGORITHMS",
    "Algorithms that are taken, separated by commas; unset, all that go with the keys",
  ),
  variable("RUNNEL_JWT_ISSUER", "What `iss` of every token must be"),
  variable("RUNNEL_JWT_AUDIENCE", "What `aud` of every token must name; unset, it may name none"),
  variable(
    "RUNNEL_KEYS",
    "API keys beside those in Redis, as `deno task keys create --print` makes them: a path, or the JSON text itself",
  ),
  variable(
    "RUNNEL_CORS_ORIGINS",
    "Origins whose pages may use Runnel, separated by commas; `*` is any",
  ),
  variable("LOG_LEVEL", "`debug`, `info`, `warn`, `error` or `silent`", "info"),
  variable(
    "RUNNEL_URL",
    "The server that `deno task publish` and the like talk to",
    "http://127.0.0.1:8000",
  ),
  variable("RUNNEL_TOKEN", "The token or API key that they show it"),
] as const;

/** The name of a variable in {@link VARIABLES}. */
export type VariableName = typeof VARIABLES[number]["name"];

type Reader = VariableReader<VariableName>;

/** The table's rows keep their names as literal types, so that only a documented variable can be read. */
function variable<const N extends string>(name: N, meaning: string, value?: string): Variable<N> {
  return { name, meaning, default: value };
}

/** The configuration of one process. Times are in milliseconds where their name does not say otherwise. */
export interface Config {
  /** Runnel's own server; `tls` holds PEM texts. */
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly cert: string; readonly key: string };
  };
  /** One for each URL; undefined where no Redis is configured. */
  readonly redis: readonly RedisOptions[] | undefined;
  /** How many partitions a new deployment gets; undefined where that follows from the Redis. */
  readonly partitions: number | undefined;
  /** What every key in Redis starts with. */
  readonly prefix: string;
  /** Folder of the managed Redis. */
  readonly dataDir: string;
  /** What topics keep by default; no age is undefined. */
  readonly retention: { readonly maxMessages: number; readonly maxAgeMs: number | undefined };
  /** How many times its most messages a topic's unacknowledged work may be. */
  readonly backlogFactor: number;
  readonly idempotencyMs: number;
  readonly limits: LimitsConfig;
  /** `seconds` is how long a stream lasts, undefined for no end. */
  readonly stream: { readonly heartbeatMs: number; readonly seconds: number | undefined };
  readonly auth: AuthConfig;
  /** Origins as browsers write them, or `*`. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** Where the command line finds the server, without a slash at the end. */
  readonly url: string;
  /** What the command line shows the server; undefined for nothing. */
  readonly token: string | undefined;
}

/** Limits; what is undefined has none of its own. */
export interface LimitsConfig {
  readonly bodyBytes: number;
  readonly messageBytes: number | undefined;
  readonly headerBytes: number | undefined;
  /** Messages of a JSON batch. */
  readonly batch: number | undefined;
  readonly topicBytes: number;
  /** Topics and patterns of a subscription. */
  readonly topics: number;
  /** Open streams of this process. */
  readonly streams: number | undefined;
  /** Open streams of an identity at this process. */
  readonly streamsOfOne: number | undefined;
  /** Open requests of an identity at this process. */
  readonly openRequests: number | undefined;
  /** Messages that a consumer leases at a time. */
  readonly leased: number | undefined;
  /** Messages that an identity publishes in a second. */
  readonly publishRate: number | undefined;
}

/** Who is let in: nobody, everybody, or whoever has a credential of a kind that is set up here. */
export interface AuthConfig {
  readonly mode: "none" | "open" | "credentials";
  readonly allowOpen: boolean;
  readonly jwt?: JwtConfig;
  /** The keys of the configuration; those in Redis are taken beside them. */
  readonly keys?: readonly ApiKey[];
}

/** Which tokens are taken. */
export interface JwtConfig {
  readonly source:
    | { readonly secret: string }
    | { readonly publicKeys: readonly string[] }
    | { readonly jwksUrl: string };
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer?: string;
  readonly audience?: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(readonly problems: readonly ConfigProblem<VariableName>[]) {
    const list = problems.map(({ variable, detail }) => `${variable}: ${detail}`).join("; ");
    super(`The configuration is not valid: ${list}`);
  }
}

/**
 * Reads the configuration. An empty variable counts as unset.
 *
 * @param read Gives a variable's value, as `Deno.env.get` does.
 * @param readFile Gives the text of a PEM file.
 * @throws {ConfigError} Names every problem there is, by variable, and no value.
 */
export function loadConfig(
  read: (name: string) => string | undefined,
  readFile: (path: string) => string = Deno.readTextFileSync,
): Config {
  const reader = new VariableReader<VariableName>(VARIABLES, { read, readFile });
  const config = readConfig(reader);
  if (reader.problems.length > 0) throw new ConfigError(reader.problems);
  return config;
}

function readConfig(reader: Reader): Config {
  const tls = readPair(reader, "TLS_CERT", "TLS_KEY");
  return {
    server: {
      host: reader.matching("HOST", HOST, "Must be a host name or an IP address"),
      port: reader.integer("PORT", { min: 0, max: 65_535 }),
      ...(tls === undefined ? {} : { tls }),
    },
    redis: readRedis(reader),
    partitions: readPartitions(reader),
    prefix: reader.matching("RUNNEL_PREFIX", PREFIX, "Must be 1 to 64 of A-Z a-z 0-9 . _ : -"),
    dataDir: reader.text("RUNNEL_DATA_DIR") ?? "",
    retention: {
      maxMessages: reader.integer("RUNNEL_MAX_MESSAGES", { min: 1, max: 1_000_000_000 }),
      maxAgeMs: reader.optionalInteger("RUNNEL_MAX_AGE_MS", { min: 1, max: MAX_MS }),
    },
    backlogFactor: reader.integer("RUNNEL_BACKLOG_FACTOR", { min: 1, max: 1_000 }),
    idempotencyMs: reader.integer("RUNNEL_IDEMPOTENCY_MS", { min: 1000, max: MAX_MS }),
    limits: readLimits(reader),
    stream: {
      heartbeatMs: reader.integer("RUNNEL_HEARTBEAT_MS", { min: 100, max: 3_600_000 }),
      seconds: reader.optionalInteger("RUNNEL_STREAM_SECONDS", { min: 1, max: MAX_TIMER_SECONDS }),
    },
    auth: readAuth(reader),
    corsOrigins: readOrigins(reader),
    logLevel: reader.choice("LOG_LEVEL", ["debug", "info", "warn", "error", "silent"], "info"),
    url: readServerUrl(reader),
    token: reader.text("RUNNEL_TOKEN"),
  };
}

const HOST = /^[A-Za-z0-9._:%-]+$/;
const PREFIX = /^[A-Za-z0-9._:-]{1,64}$/;
/** A hundred years. */
const MAX_MS = 3_155_760_000_000;
/** Timers take 2^31 - 1 milliseconds at most. */
const MAX_TIMER_SECONDS = 2_147_483;

function readLimits(reader: Reader): LimitsConfig {
  const many = { min: 1, max: 10_000_000 };
  const bytes = { min: 1, max: 512 * 1024 * 1024 };
  return {
    bodyBytes: reader.integer("RUNNEL_MAX_BODY_BYTES", { ...bytes, min: 1024 }),
    messageBytes: reader.optionalInteger("RUNNEL_MAX_MESSAGE_BYTES", bytes),
    headerBytes: reader.optionalInteger("RUNNEL_MAX_HEADER_BYTES", { ...bytes, min: 0 }),
    batch: reader.optionalInteger("RUNNEL_MAX_BATCH", many),
    topicBytes: reader.integer("RUNNEL_MAX_TOPIC_BYTES", { min: 1, max: TOPIC_BYTES }),
    topics: reader.integer("RUNNEL_MAX_TOPICS", { min: 1, max: 2_000 }),
    streams: reader.optionalInteger("RUNNEL_MAX_STREAMS", many),
    streamsOfOne: reader.optionalInteger("RUNNEL_MAX_STREAMS_PER_IDENTITY", many),
    openRequests: reader.optionalInteger("RUNNEL_MAX_OPEN_REQUESTS", many),
    leased: reader.optionalInteger("RUNNEL_MAX_LEASED", { min: 1, max: 1_000 }),
    publishRate: reader.optionalInteger("RUNNEL_PUBLISH_RATE", many),
  };
}

function readPartitions(reader: Reader): number | undefined {
  const limits = { min: 1, max: PARTITIONS_MOST };
  const partitions = reader.optionalInteger("RUNNEL_PARTITIONS", limits);
  if (partitions === undefined || Number.isInteger(Math.log2(partitions))) return partitions;
  reader.report("RUNNEL_PARTITIONS", "Must be a power of two: 1, 2, 4, 8, 16, 32 or 64");
  return undefined;
}

function readRedis(reader: Reader): RedisOptions[] | undefined {
  const urls = reader.given("REDIS_URL")?.split(/\s+/);
  const limits = { min: 1, max: 600_000 };
  const common = {
    connections: reader.integer("REDIS_CONNECTIONS", { min: 1, max: 64 }),
    connectTimeoutMs: reader.integer("REDIS_CONNECT_TIMEOUT_MS", limits),
    commandTimeoutMs: reader.integer("REDIS_COMMAND_TIMEOUT_MS", limits),
  };
  const tls = readRedisTls(reader, "REDIS_TLS");
  const sentinelTls = readRedisTls(reader, "REDIS_SENTINEL_TLS");
  if (urls === undefined) {
    reportGiven(reader, URL_VARIABLES, "Is set, but REDIS_URL is not");
    return undefined;
  }
  const addresses = urls.flatMap((url) => readAddress(reader, url) ?? []);
  if (addresses.length < urls.length) return undefined;
  checkShards(reader, addresses);
  return addresses.map((address) => ({
    address,
    ...common,
    ...(address.tls && tls !== undefined ? { tls } : {}),
    ...(address.sentinel === undefined
      ? {}
      : { sentinel: readSentinel(reader, { isTls: address.tls, tls: sentinelTls ?? tls }) }),
  }));
}

function readSentinel(
  reader: Reader,
  { isTls, tls = {} }: { isTls: boolean; tls: RedisTls | undefined },
): SentinelOptions {
  const username = reader.given("REDIS_SENTINEL_USERNAME");
  const password = reader.given("REDIS_SENTINEL_PASSWORD");
  const asked = reader.given("REDIS_SENTINEL_TLS") === undefined
    ? isTls
    : reader.flag("REDIS_SENTINEL_TLS");
  if (!asked) {
    const detail = "Is set, but the Sentinels are reached without TLS: set REDIS_SENTINEL_TLS=1";
    reportGiven(reader, SENTINEL_TLS_VARIABLES, detail);
  }
  if (username !== undefined && password === undefined) {
    const detail = "Names a user but no password: a Sentinel cannot log in a user without one";
    reader.report("REDIS_SENTINEL_USERNAME", detail);
  }
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(asked ? { tls } : {}),
  };
}

function checkShards(reader: Reader, addresses: readonly RedisAddress[]): void {
  const hasSentinel = addresses.some(({ sentinel }) => sentinel !== undefined);
  // its certificates may be meant for the Sentinels alone
  if (!addresses.some(({ tls }) => tls) && !hasSentinel) {
    reportGiven(reader, TLS_VARIABLES, "Needs a rediss:// address in REDIS_URL");
  }
  if (!hasSentinel) {
    reportGiven(reader, SENTINEL_VARIABLES, "Needs a redis+sentinel:// address in REDIS_URL");
  }
  if (addresses.length > 1 && addresses.some(({ cluster }) => cluster !== undefined)) {
    reader.report("REDIS_URL", "Names a Cluster among others: a Cluster stands alone");
  }
  if (new Set(addresses.map(describeRedisAddress)).size < addresses.length) {
    reader.report("REDIS_URL", "Names a Redis twice");
  }
  if (new Set(addresses.map(({ db }) => db)).size > 1) {
    reader.report("REDIS_URL", "Names different databases: shards are all in the same one");
  }
}

const TLS_VARIABLES = [
  "REDIS_TLS_CA",
  "REDIS_TLS_CERT",
  "REDIS_TLS_KEY",
  "REDIS_TLS_SERVERNAME",
] as const;
const SENTINEL_TLS_VARIABLES = [
  "REDIS_SENTINEL_TLS_CA",
  "REDIS_SENTINEL_TLS_CERT",
  "REDIS_SENTINEL_TLS_KEY",
  "REDIS_SENTINEL_TLS_SERVERNAME",
] as const;
const SENTINEL_VARIABLES = [
  "REDIS_SENTINEL_USERNAME",
  "REDIS_SENTINEL_PASSWORD",
  "REDIS_SENTINEL_TLS",
  ...SENTINEL_TLS_VARIABLES,
] as const;
const URL_VARIABLES = [
  "REDIS_USERNAME",
  "REDIS_PASSWORD",
  ...TLS_VARIABLES,
  ...SENTINEL_VARIABLES,
] as const;

/** An option that cannot be honoured is refused, never ignored. */
function reportGiven(reader: Reader, names: readonly VariableName[], detail: string): void {
  for (const name of names) {
    if (reader.given(name) !== undefined) reader.report(name, detail);
  }
}

function readAddress(reader: Reader, url: string): RedisAddress | undefined {
  let address: RedisAddress;
  try {
    address = parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    reader.report("REDIS_URL", error.message);
    return undefined;
  }
  const username = readCredential(reader, "REDIS_USERNAME", address.username);
  const password = readCredential(reader, "REDIS_PASSWORD", address.password);
  if (username !== undefined && password === undefined) {
    const where = address.username === undefined ? "REDIS_USERNAME" : "REDIS_URL";
    reader.report(where, "Names a user but no password: Redis cannot log in a user without one");
  }
  return {
    ...address,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function readCredential(
  reader: Reader,
  name: "REDIS_USERNAME" | "REDIS_PASSWORD",
  inUrl: string | undefined,
): string | undefined {
  const own = reader.given(name);
  if (own !== undefined && inUrl !== undefined && own !== inUrl) {
    reader.report(name, "Differs from the one in REDIS_URL: give it in one place");
  }
  return own ?? inUrl;
}

function readRedisTls(
  reader: Reader,
  start: "REDIS_TLS" | "REDIS_SENTINEL_TLS",
): RedisTls | undefined {
  const ca = reader.pem(`${start}_CA`, "CERTIFICATE");
  const pair = readPair(reader, `${start}_CERT`, `${start}_KEY`);
  const servername = reader.given(`${start}_SERVERNAME`);
  if (ca === undefined && pair === undefined && servername === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...pair,
    ...(servername === undefined ? {} : { servername }),
  };
}

/** A certificate and its key, which are of no use without each other. */
function readPair(
  reader: Reader,
  certName: VariableName,
  keyName: VariableName,
): { cert: string; key: string } | undefined {
  const cert = reader.pem(certName, "CERTIFICATE");
  const key = reader.pem(keyName, "PRIVATE KEY");
  if (reader.given(certName) !== undefined && reader.given(keyName) === undefined) {
    reader.report(keyName, `Is needed with ${certName}`);
  }
  if (reader.given(keyName) !== undefined && reader.given(certName) === undefined) {
    reader.report(certName, `Is needed with ${keyName}`);
  }
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function readAuth(reader: Reader): AuthConfig {
  const allowOpen = reader.flag("RUNNEL_ALLOW_OPEN");
  const kinds = reader.text("RUNNEL_AUTH")?.split(/[\s,]+/) ?? [];
  const isOpen = kinds.length === 1 && kinds[0] === "open";
  if (!isOpen && !kinds.every((kind) => kind === "jwt" || kind === "keys")) {
    reader.report("RUNNEL_AUTH", "Must be jwt, keys, jwt,keys or open");
    return { mode: "none", allowOpen };
  }
  if (!kinds.includes("jwt")) {
    reportGiven(reader, JWT_VARIABLES, "Is set, but RUNNEL_AUTH does not name jwt");
  }
  if (!kinds.includes("keys")) {
    reportGiven(reader, ["RUNNEL_KEYS"], "Is set, but RUNNEL_AUTH does not name keys");
  }
  if (isOpen || kinds.length === 0) return { mode: isOpen ? "open" : "none", allowOpen };
  const jwt = kinds.includes("jwt") ? readJwt(reader) : undefined;
  return {
    mode: "credentials",
    allowOpen,
    ...(jwt === undefined ? {} : { jwt }),
    ...(kinds.includes("keys") ? { keys: readKeys(reader) } : {}),
  };
}

const JWT_SOURCES = ["RUNNEL_JWT_SECRET", "RUNNEL_JWT_PUBLIC_KEY", "RUNNEL_JWKS_URL"] as const;
const JWT_VARIABLES = [
  ...JWT_SOURCES,
  "RUNNEL_JWT_ALGORITHMS",
  "RUNNEL_JWT_ISSUER",
  "RUNNEL_JWT_AUDIENCE",
] as const;
/** A shorter secret can be guessed from one token (RFC 7518, 3.2). */
const SECRET_BYTES = 32;

function readJwt(reader: Reader): JwtConfig | undefined {
  const given = JWT_SOURCES.filter((name) => reader.given(name) !== undefined);
  if (given.length !== 1) {
    const detail = `jwt needs exactly one of ${JWT_SOURCES.join(", ")}`;
    reader.report(given[1] ?? "RUNNEL_AUTH", detail);
    return undefined;
  }
  const read = readJwtSource(reader);
  if (read === undefined) return undefined;
  const issuer = reader.text("RUNNEL_JWT_ISSUER");
  const audience = reader.text("RUNNEL_JWT_AUDIENCE");
  return {
    source: read.source,
    algorithms: readAlgorithms(reader, read.algorithms),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
}

function readJwtSource(reader: Reader): Pick<JwtConfig, "source" | "algorithms"> | undefined {
  const secret = reader.given("RUNNEL_JWT_SECRET");
  if (secret !== undefined) {
    if (new TextEncoder().encode(secret).length < SECRET_BYTES) {
      reader.report("RUNNEL_JWT_SECRET", `Must have ${SECRET_BYTES} bytes at least`);
    }
    return { source: { secret }, algorithms: ["HS256"] };
  }
  const jwksUrl = reader.given("RUNNEL_JWKS_URL");
  if (jwksUrl !== undefined) {
    if (!isSafeUrl(jwksUrl)) {
      reader.report("RUNNEL_JWKS_URL", "Must be an https:// address, or http:// on loopback");
    }
    return { source: { jwksUrl }, algorithms: ["RS256", "ES256", "EdDSA"] };
  }
  const pem = reader.pem("RUNNEL_JWT_PUBLIC_KEY", "PUBLIC KEY") ?? "";
  const publicKeys = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  const algorithms = publicKeys.map(algorithmOf);
  const known = algorithms.flatMap((one) => one ?? []);
  if (publicKeys.length > 0 && known.length === algorithms.length) {
    return { source: { publicKeys }, algorithms: [...new Set(known)] };
  }
  const detail = "Must hold public keys, each RSA of 2048 bits or more, P-256 or Ed25519";
  if (pem.includes("PUBLIC KEY-----")) reader.report("RUNNEL_JWT_PUBLIC_KEY", detail);
  return undefined;
}

function readAlgorithms(reader: Reader, possible: readonly JwtAlgorithm[]): JwtAlgorithm[] {
  const given = reader.text("RUNNEL_JWT_ALGORITHMS")?.split(/[\s,]+/);
  if (given === undefined) return [...possible];
  const taken = JWT_ALGORITHMS.filter((one) => given.includes(one) && possible.includes(one));
  if (taken.length !== new Set(given).size) {
    const detail = `May only name what goes with the keys: ${possible.join(", ")}`;
    reader.report("RUNNEL_JWT_ALGORITHMS", detail);
  }
  return taken;
}

/** Whether keys that come from there can be trusted: nobody on the way can change them. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isLoopback);
}

function readKeys(reader: Reader): readonly ApiKey[] {
  const text = reader.textOrFile("RUNNEL_KEYS", "[");
  if (text === undefined) return [];
  const { data: keys, error } = keysSchema.safeParse(parseOrUndefined(text));
  if (keys === undefined) {
    const [issue] = error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    reader.report("RUNNEL_KEYS", `Must be a JSON array of keys (${where}${issue?.message})`);
    return [];
  }
  for (const field of ["id", "name"] as const) {
    if (new Set(keys.map((key) => key[field])).size < keys.length) {
      reader.report("RUNNEL_KEYS", `Has two keys with the same ${field}`);
    }
  }
  return keys;
}

const keysSchema = z.array(apiKeySchema);

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function readOrigins(reader: Reader): string[] {
  const listed = reader.text("RUNNEL_CORS_ORIGINS")?.split(/[\s,]+/).filter((item) => item !== "");
  const origins = (listed ?? []).map((item) => item === "*" ? item : item.toLowerCase());
  if (!origins.every((item) => item === "*" || ORIGIN.test(item))) {
    const detail = "Must list origins such as https://app.example.com, without a path, or *";
    reader.report("RUNNEL_CORS_ORIGINS", detail);
  }
  return origins;
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/;

function readServerUrl(reader: Reader): string {
  const value = reader.text("RUNNEL_URL") ?? "";
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search + url.hash !== "") {
    reader.report("RUNNEL_URL", "Must be an http:// or https:// address without a query");
  }
  return value.replace(/\/+$/, "");
}
