import { surveyDeployment, type SurveyedShard } from "../../redis/deployment_survey.ts";
import { RedisFailure } from "../../redis/failure.ts";
import type { RedisOptions } from "../../redis/options.ts";
import { newest, type Placement, type ShardRecord } from "../../redis/placement.ts";
import type { Finding } from "./finding.ts";

/** What is asked for beside the shards. */
export interface DeploymentSettings {
  readonly prefix: string;
  /** `RUNNEL_PARTITIONS`. */
  readonly partitions: number | undefined;
}

/** Compares what is configured with what the shards have written down of their deployment. */
export async function examineDeployment(
  shards: readonly RedisOptions[],
  { prefix, partitions }: DeploymentSettings,
): Promise<Finding[]> {
  return deploymentFindings(await surveyDeployment(shards, prefix), partitions);
}

/** What is good and what is wrong about the shards as one deployment. */
export function deploymentFindings(
  shards: readonly SurveyedShard[],
  partitions: number | undefined,
): Finding[] {
  const forbidden = shards.flatMap(forbiddenFindings);
  const known = shards.flatMap(({ url, record }): Known[] =>
    record instanceof RedisFailure ? [] : [{ url, record }]
  );
  const several = mixtureFinding(known);
  if (several !== undefined) return [...forbidden, several];
  const placement = newest(known.map(({ record }) => record));
  // why a shard cannot be asked is said where it is looked at itself
  if (placement === undefined) {
    return known.length < shards.length ? forbidden : [beginning(partitions)];
  }
  return [
    ...forbidden,
    partitionsFinding(placement, partitions),
    ...lackingFindings(placement, { shards, known }),
    ...known.flatMap((shard) => shardFindings(placement, shard)),
  ];
}

interface Known {
  readonly url: string;
  readonly record: ShardRecord;
}

function forbiddenFindings({ url, record }: SurveyedShard): Finding[] {
  if (!(record instanceof RedisFailure) || record.code !== "redis_forbidden") return [];
  return [{
    level: "failure",
    text: `What is written down of the deployment at ${url} may not be read`,
    advice: "Allow the ACL user all of Runnel's keys: ACL SETUSER <user> ~{<prefix>:*\n" +
      "(RUNNEL_PREFIX, default rn)",
  }];
}

function mixtureFinding(known: readonly Known[]): Finding | undefined {
  const placed = known.filter(({ record }) => record.placement?.ready);
  const groups = Map.groupBy(placed, ({ record }) => record.placement?.deployment);
  if (groups.size < 2) return undefined;
  const texts = [...groups.values()].map((group) => group.map(({ url }) => url).join(", "));
  return {
    level: "failure",
    text: `REDIS_URL mixes Redis servers of ${groups.size} deployments: ${texts.join(" | ")}`,
    advice: "Name those of one deployment only, or keep the deployments apart by RUNNEL_PREFIX",
  };
}

function beginning(partitions: number | undefined): Finding {
  const count = partitions === undefined ? "" : ` with ${partitions} partitions`;
  return { level: "ok", text: `No deployment is here yet: the first use begins one${count}` };
}

function partitionsFinding(placement: Placement, asked: number | undefined): Finding {
  const { partitions } = placement;
  const text = `The deployment has ${partitions} partition${partitions === 1 ? "" : "s"}`;
  if (asked === undefined || asked === partitions) return { level: "ok", text };
  return {
    level: "warning",
    text:
      `${text}; RUNNEL_PARTITIONS asks for ${asked}, which is for new deployments and changes none`,
    advice: partitions === 1
      ? `deno task reshard --to "…" --partitions ${asked} splits it; or unset RUNNEL_PARTITIONS`
      : `Set RUNNEL_PARTITIONS=${partitions}, or unset it: the number cannot be changed any more`,
  };
}

function lackingFindings(
  { shards: placed, places }: Placement,
  { shards, known }: { shards: readonly SurveyedShard[]; known: readonly Known[] },
): Finding[] {
  const ids = new Set(known.map(({ record }) => record.shard));
  const urls = new Set(shards.map(({ url }) => url));
  return placed
    .filter(({ id, url }) => places.includes(id) && !ids.has(id) && !urls.has(url))
    .map(({ id, url }) => ({
      level: "failure",
      text: `REDIS_URL lacks ${url}, where ${
        countOf(places, id)
      } of ${places.length} partitions are`,
      advice:
        "Add it to REDIS_URL: it is reached by what is stored, but only while another one is there",
    }));
}

function shardFindings({ shards, places }: Placement, { url, record }: Known): Finding[] {
  const id = record.shard ?? shards.find((one) => one.url === url)?.id;
  const count = id === undefined ? 0 : countOf(places, id);
  if (count === 0) {
    return [{
      level: "note",
      text: `There is no partition at ${url}: it is not used`,
      advice: 'deno task reshard --to "<all of REDIS_URL>" spreads the topics over it too',
    }];
  }
  if (record.placement !== undefined) return [];
  return [{
    level: "warning",
    text:
      `${url} has come back without its data: ${count} of ${places.length} partitions were there`,
    advice:
      "Look at its disk and its settings (appendonly); a backup must be restored before it is used",
  }];
}

function countOf(places: readonly string[], id: string): number {
  return places.filter((place) => place === id).length;
}
