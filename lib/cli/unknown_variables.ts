import { VARIABLES } from "../config.ts";
import { editDistance } from "./nearest.ts";

/** An environment variable that looks like one of Runnel's and is none. */
export interface UnknownVariable {
  readonly name: string;
  /** The known variable that is most like it, where one is. */
  readonly nearest: string | undefined;
}

const KNOWN: readonly string[] = VARIABLES.map(({ name }) => name);
const OURS = /^(RUNNEL_|REDIS_TLS_|REDIS_SENTINEL_)/i;
/** What Kubernetes and Docker set for a neighbour called `runnel`. */
const SERVICE_LINK = /^RUNNEL_(SERVICE_|PORT_\d)/;

/**
 * Those of the names that nobody reads although they begin with `RUNNEL_`, `REDIS_TLS_` or `REDIS_SENTINEL_`, or differ from a `REDIS_`
 * variable by a slip of the hand: other programs have `REDIS_` variables too.
 */
export function unknownVariables(names: readonly string[]): UnknownVariable[] {
  return names.flatMap((name) => {
    if (KNOWN.includes(name) || SERVICE_LINK.test(name)) return [];
    const nearest = nearestOf(name);
    const slip = /^REDIS_/i.test(name) && nearest !== undefined && nearest.distance <= 2;
    return OURS.test(name) || slip ? [{ name, nearest: nearest?.name }] : [];
  });
}

/** What is wrong with it, as a sentence. */
export function describeUnknown({ name, nearest }: UnknownVariable): string {
  const guess = nearest === undefined ? "" : `: is ${nearest} meant?`;
  return `The environment variable ${name} is not known and has no effect${guess}`;
}

function nearestOf(name: string): { name: string; distance: number } | undefined {
  const text = name.toUpperCase();
  const bare = text.replace(/^RUNNEL_/, "");
  const candidates = KNOWN.map((known) => ({
    name: known,
    // RUNNEL_PORT is nearer to PORT, and REDIS_TLS_CERTIFICATE to REDIS_TLS_CERT, than their letters say.
    distance: Math.min(
      editDistance(text, known),
      1 + editDistance(bare, known),
      text.startsWith(known) ? 3 : Infinity,
    ),
  }));
  const best = candidates.reduce((a, b) => b.distance < a.distance ? b : a);
  const own = bare.replace(/^REDIS_(TLS_)?/, "");
  return best.distance <= Math.max(2, own.length / 2) ? best : undefined;
}
