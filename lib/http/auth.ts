import { RunnelError } from "../errors.ts";

/** What can be allowed on a topic. */
export type Action = "publish" | "subscribe" | "consume" | "manage";

/** Who makes a request, by what they may do. */
export interface Identity {
  may(action: Action, topic: string): boolean;
}

/** How requests are authenticated. */
export interface AuthPolicy {
  /** `none`: not configured, so every request is refused. `open`: everybody may do everything. */
  readonly mode: "none" | "open";
  /** Whether `open` was acknowledged for servers that others can reach. */
  readonly allowOpen: boolean;
  /** Whether the server is known to listen on a loopback address only. */
  readonly loopback: boolean;
}

/** The identity in open mode. */
export const EVERYBODY: Identity = { may: () => true };

/** The identity on routes that need none. */
export const NOBODY: Identity = { may: () => false };

/**
 * Who makes a request under this policy.
 *
 * @throws {RunnelError} `auth_not_configured` where nobody can be let in yet.
 */
export function authenticate(policy: AuthPolicy): Identity {
  if (policy.mode === "none") {
    throw new RunnelError(
      "auth_not_configured",
      "No authentication is configured: set RUNNEL_AUTH, to open for a server that everybody may use",
    );
  }
  if (!policy.allowOpen && !policy.loopback) {
    throw new RunnelError(
      "auth_not_configured",
      "RUNNEL_AUTH=open lets in everybody who can reach this server: acknowledge that with RUNNEL_ALLOW_OPEN=1",
    );
  }
  return EVERYBODY;
}

/**
 * Refuses what an identity may not do.
 *
 * @throws {RunnelError} `forbidden`.
 */
export function authorize(identity: Identity, action: Action, topic: string): void {
  if (!identity.may(action, topic)) throw new RunnelError("forbidden", `May not ${action} there`);
}
