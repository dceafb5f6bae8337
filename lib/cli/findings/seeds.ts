/** Servers that tell of others: Sentinels, and the nodes of a Cluster. Any one of them that answers is enough. */
import type { Answer } from "../../redis/answer.ts";
import type { Endpoint } from "../../redis/options.ts";
import type { Finding } from "./finding.ts";
import type { Link } from "./link.ts";
import { explainLink } from "./link_failure.ts";
import type { Reason } from "./reason.ts";

/** What one of them told. */
export interface Seen<T> {
  readonly endpoint: Endpoint;
  readonly view: T;
}

/** How they are asked. */
export interface SeedOptions<T> {
  /** What one of them is called, and several. */
  readonly names: readonly [one: string, several: string];
  readonly link: (endpoint: Endpoint) => Link;
  /** Rejects where it cannot be reached. */
  readonly look: (endpoint: Endpoint) => Promise<Answer<T>>;
  /** Why one that can be reached does not tell. */
  readonly explain: (refusal: string) => Reason;
}

/** What those told that answer, and what is wrong with the others. */
export interface SeedAnswers<T> {
  readonly seen: readonly Seen<T>[];
  readonly findings: readonly Finding[];
}

/** Asks all of them at once. */
export async function seeds<T>(
  endpoints: readonly Endpoint[],
  options: SeedOptions<T>,
): Promise<SeedAnswers<T>> {
  const answers = await Promise.all(endpoints.map((endpoint) => ask(endpoint, options)));
  const seen = answers.flatMap(({ endpoint, view }) =>
    view === undefined ? [] : [{ endpoint, view }]
  );
  const failed = answers.filter(({ reason }) => reason !== undefined);
  const groups = Map.groupBy(failed, ({ reason }) => reason?.join("\n"));
  const findings = [...groups.values()].map((group): Finding => {
    const [reason = "", advice = ""] = group[0]?.reason ?? [];
    const [one, several] = options.names;
    return {
      // any one of them that answers is enough for now
      level: seen.length > 0 ? "warning" : "failure",
      text: `The ${group.length === 1 ? one : several} at ${
        listed(group)
      } cannot be used: ${reason}`,
      advice,
    };
  });
  return { seen, findings };
}

/** Where they are, separated by commas. */
export function listed(servers: readonly { readonly endpoint: Endpoint }[]): string {
  return servers.map(({ endpoint }) => endpointText(endpoint)).join(", ");
}

/** `host:port`, as in a URL. */
export function endpointText({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

interface SeedAnswer<T> {
  readonly endpoint: Endpoint;
  readonly view?: T;
  readonly reason?: Reason;
}

async function ask<T>(endpoint: Endpoint, options: SeedOptions<T>): Promise<SeedAnswer<T>> {
  try {
    const answer = await options.look(endpoint);
    return "value" in answer
      ? { endpoint, view: answer.value }
      : { endpoint, reason: options.explain(answer.refused) };
  } catch (error) {
    return { endpoint, reason: await explainLink(error, options.link(endpoint)) };
  }
}
