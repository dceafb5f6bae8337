/** The bare servers, each in a process of its own. */
import { spawnGuarded } from "../../../lib/cli/topology/guarded_process.ts";
import { until } from "../../_support/until.ts";

/** A running bare server. */
export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts the one without Redis on a free port. */
export function startBareServer(): Promise<BareServer> {
  return start("bare_server.ts");
}

/** Starts the one that publishes into the Redis on this port, on a free port of its own. */
export function startBarePublisher(redisPort: number): Promise<BareServer> {
  return start("bare_publisher.ts", [`${redisPort}`]);
}

async function start(name: string, args: readonly string[] = []): Promise<BareServer> {
  const stdout = await Deno.makeTempFile({ prefix: "runnel-bare-" });
  const file = new URL(`./${name}`, import.meta.url).pathname;
  const command = { command: Deno.execPath(), args: ["run", "-A", file, ...args] };
  const process = spawnGuarded({ ...command, stdout });
  const port = await until(async () => Number(await Deno.readTextFile(stdout)), {
    what: `the port of ${name}`,
  });
  return {
    port,
    pid: process.pid,
    async [Symbol.asyncDispose]() {
      await process.kill9();
      await Deno.remove(stdout);
    },
  };
}
