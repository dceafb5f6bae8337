import type { Build } from "./build.ts";
import { MASTER, QUORUM, REPLICATION_FLAGS, SENTINEL_SETTINGS } from "./flags.ts";
import type { RedisServer } from "./local_redis.ts";
import { freePort } from "./ports.ts";
import { until } from "./settle.ts";

const REPLICAS = 2;
const SENTINELS = 3;

/** A primary with two replicas, and three Sentinels that watch them; resolves with the `REDIS_URL`. */
export async function startSentinelSet(build: Build): Promise<string> {
  const { tls = false } = build.options;
  const primary = await startMember(build);
  for (let i = 0; i < REPLICAS; i++) await startMember(build, primary);
  await until(async () => Number(await infoOf(primary, "connected_slaves")) === REPLICAS);
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startSentinel(build, primary)),
  );
  // a Sentinel takes part in a failover only once it knows the others and the replicas
  for (const sentinel of sentinels) await until(() => knowsAll(sentinel));
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${build.front(port)}`).join(",");
  return `redis${tls ? "s" : ""}+sentinel://${hosts}/${MASTER}`;
}

async function startMember(build: Build, primary?: RedisServer): Promise<RedisServer> {
  const server = await build.data(primary === undefined ? "primary" : "replica", {
    args: REPLICATION_FLAGS,
  });
  const port = build.front(server.port);
  if (port !== server.port) await build.announce(server, { "replica-announce-port": port });
  if (primary !== undefined) {
    // by now, since it says only at the beginning where it is to be reached
    await server.cli("REPLICAOF", "127.0.0.1", `${build.front(primary.port)}`);
    // not on the command line: a promoted one that starts again would follow the first primary
    await server.cli("CONFIG", "REWRITE");
  }
  return server;
}

async function startSentinel(build: Build, primary: RedisServer): Promise<RedisServer> {
  const { password, sentinelPassword, tls = false, sentinelTls = tls } = build.options;
  return await build.add("sentinel", {
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(sentinelTls ? { tls: { certificates: await build.certificates(), clientAuth: true } } : {}),
    args: await linkFlags(build, { tls, sentinelTls }),
    sentinel: true,
    file: [
      `sentinel monitor ${MASTER} 127.0.0.1 ${build.front(primary.port)} ${QUORUM}`,
      ...SENTINEL_SETTINGS.map(([name, value]) => `sentinel ${name} ${MASTER} ${value}`),
      ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER} ${quoted(password)}`]),
      ...(sentinelPassword === undefined
        ? []
        : [`sentinel sentinel-pass ${quoted(sentinelPassword)}`]),
    ],
  });
}

/** A word of a configuration file. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** A Sentinel speaks to data servers and to other Sentinels in the same way, whatever its clients speak. */
async function linkFlags(
  build: Build,
  { tls, sentinelTls }: { tls: boolean; sentinelTls: boolean },
): Promise<string[]> {
  if (!tls) return sentinelTls ? ["--port", `${freePort()}`] : [];
  if (sentinelTls) return ["--tls-replication", "yes"];
  const { ca, server } = await build.certificates();
  return [
    ...["--tls-replication", "yes", "--tls-port", `${freePort()}`],
    ...["--tls-cert-file", server.certPath, "--tls-key-file", server.keyPath],
    ...["--tls-ca-cert-file", ca.certPath],
  ];
}

async function knowsAll(sentinel: RedisServer): Promise<boolean> {
  const text = await sentinel.cli("INFO", "sentinel");
  return text.includes(`status=ok,`) &&
    text.includes(`slaves=${REPLICAS},sentinels=${SENTINELS}`);
}

async function infoOf(server: RedisServer, field: string): Promise<string> {
  const text = await server.cli("INFO", "replication");
  return new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(text)?.[1] ?? "";
}
