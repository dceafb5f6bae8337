import type { Build } from "./build.ts";
import { CLUSTER_FLAGS, REPLICATION_FLAGS } from "./flags.ts";
import type { RedisServer } from "./local_redis.ts";
import { freePort } from "./ports.ts";
import { until } from "./settle.ts";

const PRIMARIES = 3;
const SLOTS = 16_384;

/** Three primaries with a replica each; resolves with the `REDIS_URL`. */
export async function startCluster(build: Build): Promise<string> {
  const { tls = false } = build.options;
  const members: Member[] = [];
  for (let i = 0; i < 2 * PRIMARIES; i++) {
    members.push(await startMember(build, i < PRIMARIES ? "primary" : "replica"));
  }
  const [first] = members;
  for (const [i, { server }] of members.entries()) {
    await server.cli("CLUSTER", "SET-CONFIG-EPOCH", `${i + 1}`);
    if (i < PRIMARIES) await server.cli("CLUSTER", "ADDSLOTSRANGE", ...slotsOf(i));
    const { port = 0 } = first?.server ?? {};
    if (i > 0) await server.cli("CLUSTER", "MEET", "127.0.0.1", `${port}`, `${first?.busPort}`);
  }
  for (const { server } of members) await until(() => knows(server, members.length));
  for (const [i, { server }] of members.entries()) {
    const primary = members[i - PRIMARIES]?.server;
    if (primary === undefined) continue;
    const id = await primary.cli("CLUSTER", "MYID");
    await until(async () => await server.cli("CLUSTER", "REPLICATE", id) === "OK");
  }
  for (const { server } of members) await until(() => isWhole(server));
  const hosts = members.slice(0, PRIMARIES)
    .map(({ server: { port } }) => `127.0.0.1:${build.front(port)}`).join(",");
  return `redis${tls ? "s" : ""}+cluster://${hosts}`;
}

interface Member {
  readonly server: RedisServer;
  readonly busPort: number;
}

async function startMember(build: Build, part: "primary" | "replica"): Promise<Member> {
  const { tls = false } = build.options;
  const busPort = freePort();
  const server = await build.data(part, {
    args: [
      ...CLUSTER_FLAGS,
      ...REPLICATION_FLAGS,
      ...["--cluster-port", `${busPort}`],
      ...(tls ? ["--tls-cluster", "yes"] : []),
    ],
  });
  const port = build.front(server.port);
  if (port !== server.port) {
    await build.announce(server, {
      [tls ? "cluster-announce-tls-port" : "cluster-announce-port"]: port,
      "cluster-announce-bus-port": busPort,
    });
  }
  return { server, busPort };
}

function slotsOf(i: number): [first: string, last: string] {
  const at = (k: number) => Math.round(k * SLOTS / PRIMARIES);
  return [`${at(i)}`, `${at(i + 1) - 1}`];
}

async function knows(server: RedisServer, count: number): Promise<boolean> {
  return (await server.cli("CLUSTER", "INFO")).includes(`cluster_known_nodes:${count}`);
}

/** Whether a node sees all slots served, and every replica has its copy. */
async function isWhole(server: RedisServer): Promise<boolean> {
  const info = await server.cli("CLUSTER", "INFO");
  const replication = await server.cli("INFO", "replication");
  const isLinked = /role:master[^]*connected_slaves:1/.test(replication) ||
    /master_link_status:up/.test(replication);
  return info.includes("cluster_state:ok") && info.includes("cluster_size:3") && isLinked;
}
