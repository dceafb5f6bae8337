/** What the README's user looks like to clients where it lacks a rule of a Cluster or of Sentinels. */
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../lib/cli/topology/topology.ts";
import { assertProblem, publish, publishId } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { giveUser, giveUserTo, readRedisUser, without } from "../_support/redis_user.ts";
import { openOn, primariesOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";

const RESTRICTED = { password: "of the data", sentinelPassword: "of Sentinels" };

async function openAs(
  topology: Topology,
  changes: Record<string, string> = {},
): Promise<Runnel> {
  const { REDIS_URL: redisUrl = "", ...env } = await giveUserTo(topology, await readRedisUser());
  return await openRunnel({ redisUrl, env: { RUNNEL_AUTH: "open", ...env, ...changes } });
}

/** Fails unless a message is refused at once, and one line of the log names the rule. */
async function assertRefused(runnel: Runnel, rule: string): Promise<void> {
  const answer = await publish(runnel.url, { topic: "t", data: 1 });
  assertProblem(answer, { status: 503, code: "redis_forbidden" });
  const names = (line: string) => line.includes(`"rule":"ACL SETUSER runnel ${rule}"`);
  await until(() => runnel.logs.some(names), { what: `a line that names ${rule}` });
}

Deno.test("a Cluster's user that lacks a rule is told as elsewhere", async () => {
  await using topology = await startTopology("cluster", RESTRICTED);
  const user = await readRedisUser();
  for (const rule of ["+cluster|slots", "+spublish"]) {
    await using runnel = await openAs(topology);
    const nodes = topology.servers.map(({ server }) => server);
    for (const node of nodes) await giveUser(node, user, without(user.cluster, rule));
    await assertRefused(runnel, rule);
    for (const node of nodes) await giveUser(node, user, [rule]);
    await publishId(runnel.url, { topic: "t", data: 1 });
  }
});

Deno.test("a Sentinels' user that lacks a rule is told as elsewhere", async () => {
  await using topology = await startTopology("sentinel", RESTRICTED);
  const user = await readRedisUser();
  const sentinels = topology.servers.flatMap(({ part, server }) =>
    part === "sentinel" ? [server] : []
  );
  for (const rule of ["+sentinel|master", "+subscribe"]) {
    await using runnel = await openAs(topology);
    for (const one of sentinels) await giveUser(one, user, without(user.sentinel, rule));
    await assertRefused(runnel, rule);
    for (const one of sentinels) await giveUser(one, user, [rule]);
    await until(async () => (await publish(runnel.url, { topic: "t", data: 1 })).status === 200);
  }
});

Deno.test("the README's user goes on at a replica that has become the primary, which has it too", async () => {
  await using topology = await startTopology("sentinel", RESTRICTED);
  const { env } = topology;
  const variables = await giveUserTo(topology, await readRedisUser());
  await using runnel = await openOn({ ...topology, env: { ...env, ...variables } });
  await publishId(runnel.url, { topic: "t", data: 1 });
  const [primary] = await primariesOf(topology);
  const sentinel = topology.servers.find(({ part }) => part === "sentinel")?.server;
  await sentinel?.cli("SENTINEL", "FAILOVER", "runnel");
  await until(async () => !(await primariesOf(topology)).includes(primary!), {
    timeoutMs: 30_000,
    what: "another primary",
  });
  await until(async () => (await publish(runnel.url, { topic: "t", data: 2 })).status === 200, {
    timeoutMs: 30_000,
    what: "a message to be stored there",
  });
});
