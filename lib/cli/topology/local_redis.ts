/** Redis servers that live for a while: on a free port or a unix socket, in a folder of their own, gone at the end. */
import { setTimeout as pause } from "node:timers/promises";
import { cutTornTail } from "../redis/aof_repair.ts";
import { findRedis } from "../redis/redis_binary.ts";
import type { Certificates } from "./certificates.ts";
import { type GuardedProcess, spawnGuarded } from "./guarded_process.ts";
import { freePort } from "./ports.ts";

/** Options of {@link startRedis}. */
export interface RedisServerOptions {
  /** @default true */
  readonly appendonly?: boolean;
  /** @default "always" */
  readonly appendfsync?: "always" | "everysec" | "no";
  /** Further arguments of redis-server, such as `["--maxmemory", "4mb"]`. @default [] */
  readonly args?: readonly string[];
  /** The password of the default user. @default none */
  readonly password?: string;
  /** Listens with TLS in place of plain TCP; `clientAuth` asks for a client certificate. */
  readonly tls?: { readonly certificates: Certificates; readonly clientAuth?: boolean };
  /** A port of the caller's choice. @default a free one */
  readonly port?: number;
  /** Listens on a unix socket in place of a port. @default false */
  readonly socket?: boolean;
  /** Lines of a configuration file, in which it keeps what it is told later. @default there is none */
  readonly file?: readonly string[];
  /** Whether it is a Sentinel; needs a {@link file}. @default false */
  readonly sentinel?: boolean;
}

/** Options of {@link RedisServer.restart}. */
export interface RestartOptions {
  /** Waits until the data are loaded; `false` returns as soon as it listens. @default true */
  readonly loaded?: boolean;
  /** Arguments for this run that win over the server's own. @default [] */
  readonly args?: readonly string[];
  /** Whether what a kill left of a write is cut before, as the managed Redis does it. @default true */
  readonly repair?: boolean;
}

/** A running redis-server. Disposing it kills it and removes its data. */
export interface RedisServer extends AsyncDisposable {
  /** As `REDIS_URL` takes it, with the password where there is one. */
  readonly url: string;
  /** 0 where it listens on a unix socket only. */
  readonly port: number;
  /** The unix socket's path, where it listens on one. */
  readonly socket: string | undefined;
  /** The data folder. */
  readonly dir: string;
  readonly pid: number;
  /** SIGKILL: what was not written is lost. Resolves when the process is gone. */
  kill9(): Promise<void>;
  /** SIGTERM: an orderly stop. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** Starts it again (killing it first if it runs) on the same port with the same data. */
  restart(options?: RestartOptions): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /**
   * Runs redis-cli and returns what it printed.
   *
   * @throws {Error} when Redis answers with an error or cannot be reached.
   */
  cli(...args: string[]): Promise<string>;
}

/**
 * Starts a redis-server and waits until it answers. Safe where many test processes do it at once.
 *
 * @throws {ServerStartError}
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-redis-" });
  for (let attempt = 1;; attempt++) {
    const server = new LocalRedis(options, dir);
    try {
      await server.restart();
      return server;
    } catch (error) {
      // Somebody else took the port between the look and the bind.
      const again = error instanceof PortTaken && options.port === undefined && attempt < 20;
      if (again) continue;
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** A redis-server that did not start; its own words are in the message. */
export class ServerStartError extends Error {
  override readonly name: string = "ServerStartError";
}

class PortTaken extends ServerStartError {}

/** How long a server may take to listen, in milliseconds. */
const START_MS = 30_000;

class LocalRedis implements RedisServer {
  readonly port: number;
  readonly socket: string | undefined;
  readonly dir: string;
  readonly #options: RedisServerOptions;
  #process: GuardedProcess | undefined;
  #runs = 0;

  constructor(options: RedisServerOptions, dir: string) {
    this.#options = options;
    this.dir = dir;
    this.socket = options.socket ? `${dir}/redis.sock` : undefined;
    this.port = this.socket ? 0 : options.port ?? freePort();
  }

  get url(): string {
    const { password, tls } = this.#options;
    const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    if (this.socket) return `unix://${credentials}${this.socket}`;
    return `${tls ? "rediss" : "redis"}://${credentials}127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (!this.#process) throw new Error("Cannot name a pid: the redis-server has never run");
    return this.#process.pid;
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  async stop(): Promise<void> {
    this.resume();
    this.#process?.signal("SIGTERM");
    await this.#process?.status;
  }

  async restart(
    { loaded = true, args = [], repair = true }: RestartOptions = {},
  ): Promise<void> {
    await this.kill9();
    if (repair) await cutTornTail(this.dir);
    await this.#writeFile();
    // A log of its own for each run: an old line must not pass for this run's.
    const log = `${this.dir}/redis-${++this.#runs}.log`;
    const server = spawnGuarded({
      command: await redisProgram("server"),
      args: [...this.#arguments(), "--logfile", log, ...args],
    });
    this.#process = server;
    const ready = this.#options.sentinel ? "Sentinel ID is" : "eady to accept connections";
    const line = loaded ? ready : "Server initialized";
    const end = performance.now() + START_MS;
    let text = "";
    while (!text.includes(line) && !server.exited && performance.now() < end) {
      await pause(4);
      text = await Deno.readTextFile(log).catch(() => "");
    }
    if (text.includes(line) && !server.exited) return;
    const Reason = /Failed listening|Address already in use/.test(text)
      ? PortTaken
      : ServerStartError;
    throw new Reason(`Cannot start redis-server: ${text}`);
  }

  pause(): void {
    this.#process?.signal("SIGSTOP");
  }

  resume(): void {
    this.#process?.signal("SIGCONT");
  }

  async cli(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(await redisProgram("cli"), {
      args: ["-e", "--no-auth-warning", ...this.#address(), ...args],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout).trimEnd();
    if (success) return text;
    const reason = text + new TextDecoder().decode(stderr);
    throw new Error(`Cannot run ${args[0]}: ${reason.trim()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    await Deno.remove(this.dir, { recursive: true });
  }

  #arguments(): string[] {
    const { appendonly = true, appendfsync = "always", password, args = [] } = this.#options;
    const persistence = ["--save", "", "--appendonly", appendonly ? "yes" : "no"];
    return [
      ...(this.#options.file === undefined ? [] : [this.#file]),
      ...(this.#options.sentinel ? ["--sentinel"] : []),
      ...["--dir", this.dir, "--daemonize", "no", "--bind", "127.0.0.1"],
      ...(this.#options.sentinel ? [] : [...persistence, "--appendfsync", appendfsync]),
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...this.#listen(),
      ...args,
    ];
  }

  get #file(): string {
    return `${this.dir}/redis.conf`;
  }

  async #writeFile(): Promise<void> {
    const { file } = this.#options;
    if (file === undefined || this.#runs > 0) return;
    await Deno.writeTextFile(this.#file, file.map((line) => `${line}\n`).join(""));
  }

  #listen(): string[] {
    if (this.socket) return ["--port", "0", "--unixsocket", this.socket];
    const { tls } = this.#options;
    if (!tls) return ["--port", `${this.port}`];
    const { ca, server } = tls.certificates;
    return [
      ...["--port", "0", "--tls-port", `${this.port}`],
      ...["--tls-cert-file", server.certPath, "--tls-key-file", server.keyPath],
      ...["--tls-ca-cert-file", ca.certPath, "--tls-auth-clients", tls.clientAuth ? "yes" : "no"],
    ];
  }

  #address(): string[] {
    const { password, tls } = this.#options;
    const credentials = password === undefined ? [] : ["-a", password];
    if (this.socket) return [...credentials, "-s", this.socket];
    const address = [...credentials, "-h", "127.0.0.1", "-p", `${this.port}`];
    if (!tls) return address;
    const { ca, client } = tls.certificates;
    const own = ["--cert", client.certPath, "--key", client.keyPath];
    return [...address, "--tls", "--cacert", ca.certPath, ...own];
  }
}

let search: ReturnType<typeof findRedis> | undefined;

/** The program that `deno task start` would take too, which may be Valkey's; its client stands beside it. */
async function redisProgram(kind: "server" | "cli"): Promise<string> {
  const { usable } = await (search ??= findRedis());
  if (!usable) throw new Error("Cannot find redis-server: deno task test installs it");
  return usable.path.replace(/server$/, kind);
}
