/** nginx with nchan, with and without Redis. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { freePort } from "../../../lib/cli/topology/ports.ts";
import { until } from "../../_support/until.ts";
import { DATA } from "../message.ts";
import { nchanConfig } from "./nchan_config.ts";
import { MissingPeerError, outputOf, type Peer } from "./peer.ts";

/** Debian keeps it where the path of an ordinary user does not look. */
const PROGRAMS = ["nginx", "/usr/sbin/nginx"];
const MODULE = "ngx_nchan_module.so";

/**
 * Starts nginx with nchan on a free port; with a Redis of its own, which writes nothing to disk, or with its own memory alone.
 *
 * @throws {MissingPeerError}
 */
export async function startNchan({ redis }: { redis: boolean }): Promise<Peer> {
  const found = await findNchan();
  if (!found) {
    throw new MissingPeerError(
      "nginx with its module is missing; apt-get install nginx libnginx-mod-nchan installs both",
    );
  }
  const { program, module } = found;
  await using stack = new AsyncDisposableStack();
  const store = redis ? stack.use(await startRedis({ appendonly: false })) : undefined;
  const dir = await Deno.makeTempDir({ prefix: "runnel-nchan-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const port = freePort();
  const config = nchanConfig({ module, dir, port, redisUrl: store?.url });
  await Deno.writeTextFile(`${dir}/nginx.conf`, config);
  stack.use(spawnNginx(program, dir));
  await untilPublishing(port, dir);
  const started = stack.move();
  return {
    plan: {
      port,
      publishPath: "/publish",
      streamPath: "/subscribe",
      streamKind: "sse",
      body: JSON.stringify(DATA),
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Versions of nginx and of the package that its module is from, if it is from one; undefined without the module. */
export async function nchanVersions(): Promise<string | undefined> {
  const found = await findNchan();
  if (!found) return undefined;
  const owner = await outputOf("dpkg-query", ["-S", found.module]);
  const name = owner?.success ? owner.text.split(":")[0] : undefined;
  const version = name && await outputOf("dpkg-query", ["-W", "-f", "${Version}", name]);
  return `nginx ${found.version} (nchan${version ? ` ${version.text}` : ""})`;
}

interface Nchan {
  readonly program: string;
  readonly module: string;
  /** Of nginx. */
  readonly version: string;
}

async function findNchan(): Promise<Nchan | undefined> {
  for (const program of PROGRAMS) {
    const build = (await outputOf(program, ["-V"]))?.text ?? "";
    const folder = /--modules-path=(\S+)/.exec(build)?.[1];
    if (folder === undefined) continue;
    const module = `${folder}/${MODULE}`;
    const found = await Deno.stat(module).catch(() => undefined);
    if (!found) continue;
    return { program, module, version: /nginx\/(\S+)/.exec(build)?.[1] ?? "unknown" };
  }
  return undefined;
}

// The workers of an nginx that is killed live on. So it is told to stop when the input ends, which it does however the
// bench ends; a Ctrl-C reaches nginx itself.
const WATCHED = `trap '' INT
"$@" </dev/null & pid=$!
read -r _
kill -TERM $pid 2>/dev/null
wait $pid`;

function spawnNginx(program: string, dir: string): AsyncDisposable {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", WATCHED, "watched", program, "-p", dir, "-c", `${dir}/nginx.conf`],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
    },
  };
}

/** It answers before it has found its Redis, but takes no message. */
async function untilPublishing(port: number, dir: string): Promise<void> {
  try {
    await until(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/publish`, {
        method: "POST",
        body: "{}",
      });
      await response.body?.cancel();
      return response.ok;
    }, { timeoutMs: 10_000, what: "nginx to take a message" });
  } catch (error) {
    const log = await Deno.readTextFile(`${dir}/error.log`).catch(() => "");
    throw new Error(`Cannot start nginx with nchan: ${log}`, { cause: error });
  }
}
