import type { RedisOptions } from "../../redis/options.ts";
import { examineCluster } from "./cluster_findings.ts";
import { type DeploymentSettings, examineDeployment } from "./deployment_findings.ts";
import type { Finding } from "./finding.ts";
import { serverLink } from "./link.ts";
import { examine } from "./redis_findings.ts";
import { examineSentinels } from "./sentinel_findings.ts";

/** Looks at everything that is configured, and says what is good and what is wrong about it. */
export async function examineAll(
  shards: readonly RedisOptions[],
  settings: DeploymentSettings,
): Promise<Finding[]> {
  const [deployment, ...each] = await Promise.all([
    examineDeployment(shards, settings),
    ...shards.map((options) => examineShard(options, settings)),
  ]);
  return [...each.flat(), ...deployment];
}

/** Looks at one shard, whatever it is made of. */
export function examineShard(
  options: RedisOptions,
  { prefix }: Pick<DeploymentSettings, "prefix">,
): Promise<Finding[]> {
  const { sentinel, cluster } = options.address;
  if (sentinel !== undefined) return examineSentinels(options, { prefix });
  if (cluster !== undefined) return examineCluster(options, { prefix });
  return examine(serverLink(options), { prefix });
}
