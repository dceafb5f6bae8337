/** What people write themselves: a small server on Node between Redis and the browsers. */
import { spawnGuarded } from "../../../lib/cli/topology/guarded_process.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { until } from "../../_support/until.ts";
import { DATA } from "../message.ts";
import { installPackages } from "./node_packages.ts";
import type { Peer } from "./peer.ts";

type Streams = Pick<Peer["plan"], "streamPath" | "streamKind">;

/** Starts better-sse and ioredis with a Redis of their own, for Pub/Sub. @throws {MissingPeerError} */
export function startBetterSse(): Promise<Peer> {
  return startNodePeer("better_sse_server.mjs", { streamPath: "/subscribe", streamKind: "sse" });
}

/**
 * Starts Socket.IO with its Redis streams adapter and a Redis of its own, which writes nothing to disk.
 *
 * @throws {MissingPeerError}
 */
export function startSocketIo(): Promise<Peer> {
  return startNodePeer("socket_io_server.mjs", {
    streamPath: "/socket.io/?EIO=4&transport=websocket",
    streamKind: "socket.io",
  });
}

async function startNodePeer(name: string, streams: Streams): Promise<Peer> {
  const packages = await installPackages();
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ appendonly: false }));
  const dir = await Deno.makeTempDir({ prefix: "runnel-node-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const [stdout, stderr] = [`${dir}/stdout`, `${dir}/stderr`];
  const file = new URL(`./${name}`, import.meta.url).pathname;
  const args = [file, packages, redis.url];
  const env = { NODE_ENV: "production" };
  const process = stack.use(spawnGuarded({ command: "node", args, env, stdout, stderr }));
  const port = await until(async () => {
    if (process.exited) return -1;
    return Number(await Deno.readTextFile(stdout).catch(() => ""));
  }, { what: `the port of ${name}` });
  if (port < 0) throw new Error(`Cannot start ${name}: ${await Deno.readTextFile(stderr)}`);
  const started = stack.move();
  return {
    plan: { port, publishPath: "/publish", body: JSON.stringify(DATA), ...streams },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
