/** The table that a run ends with. */
import type { FaultKind } from "../fault/verdict.ts";
import type { ChaosResult } from "./chaos.ts";

/** The rows of the table: what, and how much. */
export function reportRows(result: ChaosResult): [what: string, value: string][] {
  const { found, broken } = result;
  const faults = Object.entries(result.faults).map(([name, times]) => `${times} ${name}`);
  const count = (...kinds: FaultKind[]) => broken.filter(({ kind }) => kinds.includes(kind)).length;
  const lost = count("lost", "missed", "cut short", "never stored");
  const taken = (found.lost ?? 0) + (found["never stored"] ?? 0) - count("lost", "never stored");
  return [
    ["faults", faults.join(", ") || "none"],
    ["acknowledged", `${result.acknowledged} (durability ${result.durability})`],
    ["stored", `${result.stored}`],
    ["delivered", `${result.delivered}`],
    ["worked on in groups", `${result.worked}`],
    ["delayed", `${result.delayed}`],
    ["lost", `${lost}`],
    ["duplicated", `${count("stored twice", "seen twice")}`],
    ["reordered", `${count("stored out of order", "seen out of order")}`],
    ["announced gaps", `${result.gaps}`],
    ["only stored, and taken by a failover", `${taken}`],
    ["longest publish pause", formatPause(result.publishPauseMs)],
    ["longest delivery pause", formatPause(result.deliveryPauseMs)],
    ["broken promises", `${broken.length}`],
  ];
}

function formatPause(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** The table as text. */
export function formatReport(result: ChaosResult): string {
  const rows = reportRows(result);
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`).join("\n");
}
