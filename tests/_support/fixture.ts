/**
 * A Runnel for tests that need nothing special of it. Its Redis is one of its own; or, where `TEST_TOPOLOGY` says so,
 * whatever Redis servers stand there, shared with other tests, under a prefix of its own that the README's user may use.
 */
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { loadConfig } from "../../lib/config.ts";
import { Deployment } from "../../lib/redis/deployment.ts";
import { memoryLog } from "./memory_log.ts";
import { openRunnel, type Runnel, type RunnelOptions } from "./open_runnel.ts";
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from "../../lib/cli/topology/local_redis.ts";

/** Both, gone together. */
export interface Fixture extends AsyncDisposable {
  /** Runnel's address, without a slash at the end. */
  readonly url: string;
  readonly runnel: Runnel;
  /** Its own Redis; only where {@link FixtureOptions.redis} asks for one. */
  readonly redis: RedisServer;
  /** Opens another instance on the same Redis, to be disposed by the caller. */
  another(options?: Omit<RunnelOptions, "redisUrl">): Promise<Runnel>;
  /**
   * Sends a command to the Redis that has a topic. An argument that begins with `@` is one of the topic's partition's
   * keys.
   */
  command(topic: string, name: string, ...args: string[]): Promise<unknown>;
  /** The keys, over all Redis servers, whose part after the partition begins so. */
  keys(start: string): Promise<string[]>;
}

/** Options of {@link startRunnel}. */
export interface FixtureOptions extends Omit<RunnelOptions, "redisUrl"> {
  /** A Redis of its own, whatever `TEST_TOPOLOGY` says. @default one without a file on disk, which is faster */
  readonly redis?: RedisServerOptions;
}

/** What `TEST_TOPOLOGY` holds as JSON: environment variables that lead Runnel there. */
export type TestTopology = Readonly<Record<string, string>> & { readonly REDIS_URL: string };

/** Starts a Redis where needed and opens a Runnel on it. */
export async function startRunnel(options: FixtureOptions = {}): Promise<Fixture> {
  const { redis: redisOptions, ...rest } = options;
  const text = Deno.env.get("TEST_TOPOLOGY");
  await using stack = new AsyncDisposableStack();
  const own = text === undefined || redisOptions !== undefined
    ? stack.use(await startRedis(redisOptions ?? { appendonly: false }))
    : undefined;
  // the caller of the tests writes it
  const topology = text === undefined ? undefined : JSON.parse(text) as TestTopology;
  const variables = own === undefined && topology !== undefined
    ? { ...topology, RUNNEL_PREFIX: `rn:${crypto.randomUUID().slice(0, 8)}` }
    : { REDIS_URL: own?.url ?? "" };
  const { REDIS_URL: redisUrl, ...env } = variables;
  const open = (changes: Omit<RunnelOptions, "redisUrl"> = {}) =>
    openRunnel({ ...changes, redisUrl, env: { RUNNEL_AUTH: "open", ...env, ...changes.env } });
  const runnel = stack.use(await open(rest));
  const back = stack.use(
    new BackDoor({ ...variables, ...rest.env, ...(own === undefined ? administrator() : {}) }),
  );
  const all = stack.move();
  return {
    url: runnel.url,
    runnel,
    get redis() {
      if (own === undefined) {
        throw new Error("Cannot use the fixture's Redis: it has none of its own");
      }
      return own;
    },
    another: open,
    command: (topic, ...command) => back.command(topic, command),
    keys: (start) => back.keys(start),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Who may do at the servers of `TEST_TOPOLOGY` what Runnel's own user may not; variables as JSON. @default that user */
function administrator(): Readonly<Record<string, string>> {
  // the caller of the tests writes it
  return JSON.parse(Deno.env.get("TEST_ADMINISTRATOR") ?? "{}") as Record<string, string>;
}

/** The way to the Redis servers past Runnel. */
class BackDoor implements AsyncDisposable {
  readonly #deployment: Deployment;
  readonly #prefix: string;

  constructor(variables: Readonly<Record<string, string>>) {
    const { redis: shards = [], prefix } = loadConfig((name) => variables[name]);
    this.#prefix = prefix;
    this.#deployment = new Deployment({ shards, prefix, log: memoryLog().log });
  }

  async command(topic: string, [name = "", ...args]: readonly string[]): Promise<unknown> {
    const { partitions, sites } = await this.#deployment.open();
    const number = partitionOf(topic, partitions);
    const base = `{${this.#prefix}:${partitions === 1 ? number : `${number}/${partitions}`}}`;
    const words = args.map((arg) => arg.startsWith("@") ? base + arg.slice(1) : arg);
    return await sites[number]?.run((client) => client.call(name, words));
  }

  async keys(start: string): Promise<string[]> {
    const { sites } = await this.#deployment.open();
    const found = await Promise.all(
      sites.map((site) => site.run((client) => client.keys(`{${this.#prefix}:*}${start}*`))),
    );
    return [...new Set(found.flat())];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deployment[Symbol.asyncDispose]();
  }
}
