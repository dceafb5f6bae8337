import type { SentinelReport } from "../../redis/sentinel_inspection.ts";
import type { Finding } from "./finding.ts";

/** Whether the Sentinels could agree on a failover, by what those say that answer; `named` are in REDIS_URL. */
export function electorateFindings(views: readonly SentinelReport[], named: number): Finding[] {
  const count = Math.max(...views.map(({ sentinels }) => sentinels));
  const quorum = Math.max(...views.map((view) => view.quorum));
  const complaints = [
    ...countFindings(count),
    ...quorumFindings(quorum, count),
    ...reachFindings(views),
  ];
  const content: Finding = {
    level: "ok",
    text: `A failover needs ${quorum} of ${count} Sentinels`,
  };
  return [...complaints.length === 0 ? [content] : complaints, ...namedFindings(named, count)];
}

function countFindings(count: number): Finding[] {
  if (count >= 3) return [];
  const there = count === 1 ? "is one Sentinel" : `are ${count} Sentinels`;
  return [{
    level: "warning",
    text: `There ${there}: where one is lost there is no majority, and nothing takes over when ` +
      "the primary dies",
    advice: "Run three at least, each on a machine of its own",
  }];
}

function quorumFindings(quorum: number, count: number): Finding[] {
  const majority = Math.floor(count / 2) + 1;
  if (quorum <= majority) return [];
  return [{
    level: "warning",
    text: `The quorum is ${quorum} of ${count}: a majority alone (${majority}) cannot begin a ` +
      "failover",
    advice: `redis-cli -p <sentinel> SENTINEL SET <master> quorum ${majority}, at each of them`,
  }];
}

const TOO_FEW = /^NOQUORUM\s*/;

function reachFindings(views: readonly SentinelReport[]): Finding[] {
  const refusals = views.flatMap(({ electorate }) =>
    "refused" in electorate ? [electorate.refused] : []
  );
  const tooFew = refusals.find((text) => TOO_FEW.test(text));
  if (tooFew !== undefined) {
    return [{
      level: "warning",
      text: `A failover could not happen now: ${tooFew.replace(TOO_FEW, "")}`,
      advice:
        "Bring the missing Sentinels back, or look at what keeps them from reaching each other",
    }];
  }
  if (refusals.length === 0) return [];
  return [{
    level: "note",
    text: `Whether a failover could happen now cannot be asked (${refusals[0]})`,
    advice: "ACL SETUSER <user> +sentinel|ckquorum lets doctor ask; Runnel does without",
  }];
}

function namedFindings(named: number, count: number): Finding[] {
  if (named >= Math.min(count, 2)) return [];
  return [{
    level: "warning",
    text: `REDIS_URL names one of ${count} Sentinels: without it, nobody tells the primary`,
    advice: "Name the others too, separated by commas",
  }];
}
