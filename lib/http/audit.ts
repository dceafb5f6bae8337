import type { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";

/** What an audit line says of a request. */
export interface AuditedRequest {
  readonly requestId: string;
  readonly method: string;
  /** Without a query, which may hold a ticket. */
  readonly path: string;
  /** The name of who made it; undefined where that is not known. */
  readonly identity: string | undefined;
}

const REFUSED_STATUS: ReadonlySet<number> = new Set([401, 403, 413, 429]);

/** Writes the line of a refusal: who was not let do what, and why. Other errors are no refusals. */
export function auditRefusal(log: Logger, request: AuditedRequest, error: RunnelError): void {
  if (!REFUSED_STATUS.has(error.status)) return;
  const { code, message: reason, audit } = error;
  log.warn("refused", { audit: "refusal", ...request, code, reason, ...audit });
}

/** Writes the line of a management action that was done, or may have been: `target` says to what, such as a topic and a group. */
export function auditManagement(
  log: Logger,
  request: AuditedRequest,
  { status, target }: { status: number; target: Readonly<Record<string, string>> },
): void {
  log.info("managed", { audit: "management", ...request, status, ...target });
}
