import { type Certificates, makeCertificates } from "./certificates.ts";
import { DATA_FLAGS } from "./flags.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "./local_redis.ts";
import type { Topology, TopologyName, TopologyOptions, TopologyServer } from "./topology.ts";

/** What is being put together. What was started so far ends with it unless {@link Build.finish} is reached. */
export class Build implements AsyncDisposable {
  readonly options: TopologyOptions;
  readonly servers: TopologyServer[] = [];
  readonly #name: TopologyName;
  readonly #stack = new AsyncDisposableStack();
  #certificates: Certificates | undefined;

  constructor(name: TopologyName, options: TopologyOptions) {
    this.#name = name;
    this.options = options;
  }

  /** The authority of this topology; made where it is first needed. */
  async certificates(): Promise<Certificates> {
    return this.#certificates ??= this.#stack.use(await makeCertificates());
  }

  /** Starts a Redis that keeps data, and in its file what it is told. */
  async data(
    part: TopologyServer["part"],
    { args = [], ...rest }: RedisServerOptions = {},
  ): Promise<RedisServer> {
    const { password, tls = this.#name === "tls", args: further = [] } = this.options;
    return await this.add(part, {
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: { certificates: await this.certificates(), clientAuth: true } } : {}),
      file: [],
      ...rest,
      args: [
        ...DATA_FLAGS,
        ...(password === undefined ? [] : ["--masterauth", password]),
        ...(tls ? ["--tls-replication", "yes"] : []),
        ...args,
        ...further,
      ],
    });
  }

  /** Starts a server. */
  async add(part: TopologyServer["part"], options: RedisServerOptions): Promise<RedisServer> {
    const server = this.#stack.use(await startRedis(options));
    this.servers.push({ part, server });
    return server;
  }

  /** Where others reach a server. */
  front(port: number): number {
    return this.options.front?.(port) ?? port;
  }

  /** Has a server tell others to reach it elsewhere, also when it starts again. */
  async announce(server: RedisServer, ports: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, port] of Object.entries(ports)) {
      await server.cli("CONFIG", "SET", name, `${port}`);
    }
    await server.cli("CONFIG", "REWRITE");
  }

  /** The finished topology. */
  async finish(env: Topology["env"]): Promise<Topology> {
    const { tls = this.#name === "tls", sentinelTls = tls, password } = this.options;
    const { sentinelPassword } = this.options;
    const isSentinel = this.#name === "sentinel";
    const variables = {
      ...env,
      ...(password === undefined ? {} : { REDIS_PASSWORD: password }),
      ...(tls ? await this.#tlsVariables("REDIS_TLS") : {}),
      ...(isSentinel && sentinelTls ? await this.#tlsVariables("REDIS_SENTINEL_TLS") : {}),
      ...(isSentinel && sentinelTls !== tls ? { REDIS_SENTINEL_TLS: sentinelTls ? "1" : "0" } : {}),
      ...(isSentinel && sentinelPassword !== undefined
        ? { REDIS_SENTINEL_PASSWORD: sentinelPassword }
        : {}),
    };
    const all = this.#stack.move();
    return {
      name: this.#name,
      env: variables,
      servers: this.servers,
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #tlsVariables(start: string): Promise<Record<string, string>> {
    const { ca, client } = await this.certificates();
    return {
      [`${start}_CA`]: ca.certPath,
      [`${start}_CERT`]: client.certPath,
      [`${start}_KEY`]: client.keyPath,
    };
  }
}
