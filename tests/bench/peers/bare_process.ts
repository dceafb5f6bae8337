/** The bare server in a process of its own. */
import { spawnGuarded } from "../../../lib/cli/topology/guarded_process.ts";
import { until } from "../../_support/until.ts";

/** A running bare server. */
export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts it on a free port. */
export async function startBareServer(): Promise<BareServer> {
  const stdout = await Deno.makeTempFile({ prefix: "runnel-bare-" });
  const file = new URL("./bare_server.ts", import.meta.url).pathname;
  const process = spawnGuarded({ command: Deno.execPath(), args: ["run", "-A", file], stdout });
  const port = await until(async () => Number(await Deno.readTextFile(stdout)), {
    what: "the bare server's port",
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
