import { isLoopbackHost } from "../../http/origin.ts";
import { inspectSentinel, type SentinelReport } from "../../redis/sentinel_inspection.ts";
import type { RedisOptions } from "../../redis/options.ts";
import type { Finding } from "./finding.ts";
import { electorateFindings } from "./electorate_findings.ts";
import { primaryLink, sentinelLink } from "./link.ts";
import { sentinelPermissionFindings } from "./permission_findings.ts";
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
  const permissions = await sentinelPermissionFindings(options);
  const newest = seen.toSorted((a, b) => b.view.epoch - a.view.epoch)[0]?.view;
  if (newest === undefined) return [...findings, ...permissions];
  return [
    ...findings,
    ...permissions,
    ...transportFindings(options),
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
    "Allow its user what Runnel asks of Sentinels: the README has the rules",
  ];
}

/** What the Sentinels that answer say together. */
export function sentinelFindings(
  seen: readonly Seen<SentinelReport>[],
  { master, named }: { master: string; named: number },
): Finding[] {
  return [
    { level: "ok", text: `${listed(seen)} ${seen.length === 1 ? "knows" : "know"} ${master}` },
    agreementFinding(seen),
    ...downFindings(seen),
    ...electorateFindings(seen.map(({ view }) => view), named),
  ];
}

/** Whoever can change what a Sentinel says can name a primary of his own. */
export function transportFindings({ address, sentinel }: RedisOptions): Finding[] {
  const hosts = address.sentinel?.endpoints.map(({ host }) => host) ?? [];
  if (sentinel?.tls !== undefined || hosts.every(isLoopbackHost)) return [];
  return [{
    level: "warning",
    text:
      "The links to the Sentinels are plain TCP: whoever is on the way can name another primary",
    advice: "Let the Sentinels speak TLS (tls-port there), and set REDIS_SENTINEL_TLS=1",
  }];
}

function agreementFinding(seen: readonly Seen<SentinelReport>[]): Finding {
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

function downFindings(seen: readonly Seen<SentinelReport>[]): Finding[] {
  const down = seen.filter(({ view }) => view.isDown);
  if (down.length === 0) return [];
  return [{
    level: "failure",
    text: `The primary is down, says ${listed(down)}`,
    advice: "Look at it, and at why no replica takes over (the Sentinels' log says)",
  }];
}
