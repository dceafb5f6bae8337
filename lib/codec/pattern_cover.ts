import { GLOB, isInStar, patternTokens, STAR_MORE, STAR_ONE } from "./topic_pattern.ts";

/**
 * Whether every topic that `name` stands for, one topic or a pattern, is matched by the pattern or topic `grant`. Names
 * with a leading `$` are covered only by what begins with `$` itself.
 *
 * It walks through `name` and keeps the places of `grant` that are certain to be reached, whatever stands for the
 * wildcards: (length of `name`) x (length of `grant`) steps at the most. What it grants is right; that nothing else could
 * be granted is shown by a test against all short topics.
 */
export function covers(grant: string, name: string): boolean {
  if (grant === name) return true;
  if (!grant.includes("*")) return false;
  if (name.startsWith("$") && !grant.startsWith("$")) return false;
  const tokens = patternTokens(grant);
  let reached = skipFree(tokens, new Set([0]));
  for (const wanted of patternTokens(name)) {
    reached = skipFree(tokens, stepOver(tokens, { reached, wanted }));
    if (reached.size === 0) return false;
  }
  return reached.has(tokens.length);
}

function stepOver(
  tokens: readonly number[],
  { reached, wanted }: { reached: ReadonlySet<number>; wanted: number },
): Set<number> {
  const next = new Set<number>();
  for (const at of reached) {
    const token = tokens[at];
    if (token === undefined) continue;
    if (staysAt(token, wanted)) next.add(at);
    else if (passes(token, wanted)) next.add(at + 1);
  }
  return next;
}

/** Whether a token that repeats takes whatever stands for `wanted`, be it repeated itself. */
function staysAt(token: number, wanted: number): boolean {
  if (token === GLOB) return true;
  if (token !== STAR_MORE) return false;
  return wanted === STAR_MORE || wanted === STAR_ONE || (wanted >= 0 && isInStar(wanted));
}

/** Whether a token of one character takes whatever stands for `wanted`, which is one character too. */
function passes(token: number, wanted: number): boolean {
  if (token === STAR_ONE) return wanted === STAR_ONE || (wanted >= 0 && isInStar(wanted));
  return token === wanted && token >= 0;
}

/** Adds the places that are reached without a character: behind what may repeat zero times. */
function skipFree(tokens: readonly number[], places: Set<number>): Set<number> {
  // places that are added while it goes on are visited too
  for (const at of places) {
    if (tokens[at] === STAR_MORE || tokens[at] === GLOB) places.add(at + 1);
  }
  return places;
}
