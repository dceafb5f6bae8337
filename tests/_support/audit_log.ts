/** The audit lines of a log. */

/** A refusal as the log has it. */
export interface AuditedRefusal {
  readonly identity?: string;
  readonly method: string;
  readonly path: string;
  readonly code: string;
  readonly reason: string;
  readonly limit?: string;
}

/** The refusals among lines of a log. */
export function refusalsIn(logs: readonly string[]): AuditedRefusal[] {
  return logs.map((line) => JSON.parse(line)).filter(({ audit }) => audit === "refusal");
}
