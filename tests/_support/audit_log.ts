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

/** An audit line, without what every line of the log has. */
export interface AuditLine {
  readonly audit: "refusal" | "management";
  readonly [field: string]: unknown;
}

/** The audit lines among lines of a log. */
export function auditOf(logs: readonly string[]): AuditLine[] {
  return logs.map((line) => JSON.parse(line)).filter(({ audit }) => audit !== undefined)
    .map(({ time: _, level: __, message: ___, ...fields }) => fields);
}

/** The refusals among lines of a log. */
export function refusalsIn(logs: readonly string[]): AuditedRefusal[] {
  // what a refusal has beside is what the interface says
  return auditOf(logs).filter(({ audit }) => audit === "refusal") as unknown as AuditedRefusal[];
}
