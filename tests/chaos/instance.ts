/** A Runnel process that dies and comes back under the same address. */
import { freePort } from "../../lib/cli/topology/ports.ts";
import { type ServerProcess, startServer } from "../_support/server.ts";

/** A running instance. Disposing it kills it. */
export class Instance implements AsyncDisposable {
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #port: number;
  #server: ServerProcess | undefined;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
    this.#port = freePort();
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const { REDIS_URL: redisUrl, ...env } = this.#env;
    this.#server = await startServer({
      ...(redisUrl === undefined ? {} : { redisUrl }),
      env: { ...env, RUNNEL_AUTH: "open", LOG_LEVEL: "error" },
      port: this.#port,
    });
  }

  /** SIGKILL, and a new process in its place. */
  async replace(): Promise<void> {
    await this.#server?.kill9();
    await this.#startAgain();
  }

  /** SIGTERM, as at a deployment: it says good-bye to its streams. Then a new process in its place. */
  async redeploy(): Promise<void> {
    this.#server?.signal("SIGTERM");
    await this.#server?.status;
    await this.#startAgain();
  }

  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void {
    this.#server?.signal("SIGSTOP");
  }

  /** SIGCONT. */
  resume(): void {
    this.#server?.signal("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #startAgain(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.start();
  }
}
