/** Which of the faults that were found break a promise. */
import type { Fault } from "../fault/verdict.ts";

/** What the promises depend on. */
export interface Terms {
  /** Whether a replica can take a primary's place with less than that had. */
  readonly failsOver: boolean;
  readonly durability: "stored" | "replicated";
}

/**
 * Leaves out what a failover may do: it may take what was only `stored`, as long as everyone who had seen it is told by
 * a `$gap` with the reason `failover`.
 */
export function brokenPromises(
  faults: readonly Fault[],
  { failsOver, durability }: Terms,
): Fault[] {
  if (!failsOver) return [...faults];
  return faults.filter(({ kind, detail, announced }) => {
    if (kind === "never stored") return announced !== true;
    if (kind === "gap announced") return !detail.includes(`"reason":"failover"`);
    return kind !== "lost" || durability === "replicated";
  });
}
