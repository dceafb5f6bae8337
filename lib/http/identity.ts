import type { Grants, TopicAction } from "../codec/grants.ts";
import { covers } from "../codec/pattern_cover.ts";
import { STATS_TOPIC } from "../codec/topic.ts";
import { RunnelError } from "../errors.ts";

/** What can be allowed on a topic. */
export type Action = TopicAction | "manage";

/** Who makes a request, and what they may do. */
export interface Identity {
  /** Who it is, for logs and counts: `key:<name>`, `jwt:<subject>`, `everybody`, `nobody`. */
  readonly name: string;
  /** What it was given; undefined where that is everything or nothing. */
  readonly grants?: Grants;
  /** When its credential ends, in milliseconds since 1970; undefined where it does not. */
  readonly expiresAt?: number;
  /** Aborts when the credential is taken back. */
  readonly revoked?: AbortSignal;
  /** Names the API key that it goes back to, for tickets. */
  readonly keyRef?: string;
  /** Whether it stands for a ticket, which gives no further ones. @default false */
  readonly isTicket?: boolean;
  /** Whether it may do something to a topic, or to all topics that a pattern stands for. */
  may(action: Action, topic: string): boolean;
}

/** The identity in open mode. */
export const EVERYBODY: Identity = { name: "everybody", may: () => true };

/** The identity on routes that need none. */
export const NOBODY: Identity = { name: "nobody", may: () => false };

/** What is remembered of which topics an identity may use: as much as one that names few topics needs, and not at length. */
const REMEMBERED = 64;
const REMEMBERED_LENGTH = 128;

/** Options of {@link GrantedIdentity}. */
export type GrantedIdentityOptions = Omit<Identity, "may" | "grants"> & {
  readonly grants: Grants;
};

/** Somebody who may do what grants say. */
export class GrantedIdentity implements Identity {
  readonly name: string;
  readonly grants: Grants;
  readonly expiresAt?: number;
  readonly revoked?: AbortSignal;
  readonly keyRef?: string;
  readonly isTicket: boolean;
  readonly #answers = new Map<string, boolean>();

  constructor(
    { name, grants, expiresAt, revoked, keyRef, isTicket = false }: GrantedIdentityOptions,
  ) {
    this.name = name;
    this.grants = grants;
    if (expiresAt !== undefined) this.expiresAt = expiresAt;
    if (revoked !== undefined) this.revoked = revoked;
    this.isTicket = isTicket;
    if (keyRef !== undefined) this.keyRef = keyRef;
  }

  may(action: Action, topic: string): boolean {
    if (action === "manage") return this.grants.manage === true;
    // it tells of all topics together, so that no pattern is enough
    if (action === "subscribe" && topic === STATS_TOPIC) {
      return this.grants.manage === true || this.grants.subscribe?.includes(STATS_TOPIC) === true;
    }
    const question = `${action} ${topic}`;
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = this.grants[action]?.some((grant) => covers(grant, topic)) ?? false;
    if (topic.length > REMEMBERED_LENGTH) return answer;
    if (this.#answers.size >= REMEMBERED) this.#answers.clear();
    this.#answers.set(question, answer);
    return answer;
  }
}

/** How far the clocks of whoever issues tokens may be off, in milliseconds. */
export const CLOCK_TOLERANCE_MS = 5_000;

/**
 * Refuses what an identity may not do, or not any more: an upload may last longer than its credential.
 *
 * @throws {RunnelError} `forbidden`, or `invalid_token` where the credential has ended meanwhile.
 */
export function authorize(identity: Identity, action: Action, topic: string): void {
  requireUnended(identity);
  if (!identity.may(action, topic)) throw forbidden(action, topic);
}

/**
 * Refuses a credential that has ended, or was taken back, since it let the request in.
 *
 * @throws {RunnelError} `invalid_token`.
 */
export function requireUnended({ expiresAt = Infinity, revoked }: Identity): void {
  if (revoked?.aborted !== true && Date.now() < expiresAt + CLOCK_TOLERANCE_MS) return;
  throw new RunnelError("invalid_token", "The credential has ended, or was taken back");
}

/** Like {@link authorize}, where any of several actions will do. */
export function authorizeAny(
  identity: Identity,
  actions: readonly Action[],
  topic: string,
): void {
  requireUnended(identity);
  if (actions.some((action) => identity.may(action, topic))) return;
  throw forbidden(actions[0] ?? "manage", topic);
}

/** What the names begin with that actions are granted on: the literal start of each topic and pattern. */
export function prefixesOf({ grants }: Identity, actions: readonly TopicAction[]): string[] {
  const names = actions.flatMap((action) => grants?.[action] ?? []);
  return [...new Set(names.map((name) => name.split("*", 1)[0] ?? ""))];
}

function forbidden(action: Action, topic: string): RunnelError {
  const detail = action === "manage"
    ? "The credential gives no right to manage topics and groups"
    : `The credential gives no right to ${action} all of this topic or pattern`;
  return new RunnelError("forbidden", detail, { audit: { action, topic } });
}
