import { inspectSentinel, type SentinelView } from "../../redis/sentinel_inspection.ts";
import type { RedisOptions } from "../../redis/options.ts";
import type { Finding } from "./finding.ts";
import { primaryLink, sentinelLink } from "./link.ts";
import { endpointText, listed, seeds, type Seen } from "./seeds.ts";
import { examine } from "./redis_findings.ts";

/** Looks at Sentinels and at the primary that they name, and says what is good and what is wrong about them. */
export async function examineSentinels(
  options: RedisOptions,
  { prefix }: { prefix: string },
): Promise<Finding[]> {
  const { endpoints = [], master = "" } = options.address.sentinel ?? {};
  const { seen, findings } = await seeds(endpoints, {
    names: ["Sentinel", "Sentinels"],
    link: (endpoint) => sentinelLink(options, endpoint),
    look: (endpoint) => inspectSentinel(options, endpoint),
    explain: (refusal) => explainRefusal(refusal, master),
  });
  const newest = seen.toSorted((a, b) => b.view.epoch - a.view.epoch)[0]?.view;
  if (newest === undefined) return [...findings];
  return [
    ...findings,
    ...sentinelFindings(seen, { master, named: endpoints.length }),
    ...await examine(primaryLink(options, newest.primary), { prefix }),
  ];
}

function explainRefusal(refusal: string, master: string): [reason: string, advice: string] {
  if (/No such master/i.test(refusal)) {
    return [
      `it watches no master named ${master}`,
      "Write the name after the last slash of REDIS_URL as `sentinel monitor` has it",
    ];
  }
  if (/unknown command/i.test(refusal)) {
    return ["it is no Sentinel", "Let REDIS_URL name the Sentinels, by default on port 26379"];
  }
  return [
    `it refuses to tell (${refusal})`,
    "Allow its user what Runnel asks: ACL SETUSER <user> +sentinel +subscribe &* +ping",
  ];
}

/** What the Sentinels that answer say together. */
export function sentinelFindings(
  seen: readonly Seen<SentinelView>[],
  { master, named }: { master: string; named: number },
): Finding[] {
  return [
    { level: "ok", text: `${listed(seen)} ${seen.length === 1 ? "knows" : "know"} ${master}` },
    agreementFinding(seen),
    ...downFindings(seen),
    ...electorateFindings(seen, named),
  ];
}

function agreementFinding(seen: readonly Seen<SentinelView>[]): Finding {
  const named = Map.groupBy(seen, ({ view }) => endpointText(view.primary));
  const [first] = named.keys();
  if (named.size === 1) return { level: "ok", text: `The primary is ${first}` };
  const said = [...named].map(([primary, by]) => `${primary} (${listed(by)})`).join(", ");
  return {
    level: "warning",
    text: `The Sentinels do not agree which Redis is the primary: ${said}`,
    advice: "Run doctor again: after a failover they agree within seconds. If not, look for a\n" +
      "Sentinel that the others do not reach, and at its log",
  };
}

function downFindings(seen: readonly Seen<SentinelView>[]): Finding[] {
  const down = seen.filter(({ view }) => view.isDown);
  if (down.length === 0) return [];
  return [{
    level: "failure",
    text: `The primary is down, says ${listed(down)}`,
    advice: "Look at it, and at why no replica takes over (the Sentinels' log says)",
  }];
}

function electorateFindings(seen: readonly Seen<SentinelView>[], named: number): Finding[] {
  const count = Math.max(...seen.map(({ view }) => view.sentinels));
  const quorum = Math.max(...seen.map(({ view }) => view.quorum));
  const majority = Math.floor(count / 2) + 1;
  const findings: Finding[] = [];
  if (count < 3) {
    findings.push({
      level: "warning",
      text: `There ${count === 1 ? "is one Sentinel" : `are ${count} Sentinels`}: where one is ` +
        "lost there is no majority, and nothing takes over when the primary dies",
      advice: "Run three at least, each on a machine of its own",
    });
  }
  if (quorum > majority) {
    findings.push({
      level: "warning",
      text: `The quorum is ${quorum} of ${count}: a majority alone (${majority}) cannot begin a ` +
        "failover",
      advice: `redis-cli -p <sentinel> SENTINEL SET <master> quorum ${majority}, at each of them`,
    });
  }
  const unable = seen.flatMap(({ view: { electorate } }) =>
    "refused" in electorate ? [electorate.refused] : []
  );
  if (unable[0] !== undefined) {
    findings.push({
      level: "warning",
      text: `A failover could not happen now: ${unable[0].replace(/^NOQUORUM\s*/, "")}`,
      advice:
        "Bring the missing Sentinels back, or look at what keeps them from reaching each other",
    });
  }
  if (findings.length === 0) {
    findings.push({ level: "ok", text: `A failover needs ${quorum} of ${count} Sentinels` });
  }
  if (named < Math.min(count, 2)) {
    findings.push({
      level: "warning",
      text: `REDIS_URL names one of ${count} Sentinels: without it, nobody tells the primary`,
      advice: "Name the others too, separated by commas",
    });
  }
  return findings;
}
