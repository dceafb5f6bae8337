import type { Grants, TopicAction } from "../codec/grants.ts";
import type { Action, Identity } from "./identity.ts";

/** Several credentials of one browser as one: it may do what any of them allows, until the first of them ends. */
export class CombinedIdentity implements Identity {
  readonly name: string;
  readonly expiresAt?: number;
  readonly revoked?: AbortSignal;
  readonly isTicket = true;
  readonly grants: Grants;
  readonly #identities: readonly Identity[];

  constructor(identities: readonly Identity[]) {
    this.#identities = identities;
    const all = (action: TopicAction) => identities.flatMap(({ grants }) => grants?.[action] ?? []);
    this.grants = {
      ...{ publish: all("publish"), subscribe: all("subscribe"), consume: all("consume") },
    };
    this.name = [...new Set(identities.map(({ name }) => name))].join(" ");
    const ends = identities.flatMap(({ expiresAt }) => expiresAt ?? []);
    if (ends.length > 0) this.expiresAt = Math.min(...ends);
    const signals = identities.flatMap(({ revoked }) => revoked ?? []);
    if (signals.length > 0) this.revoked = AbortSignal.any(signals);
  }

  may(action: Action, topic: string): boolean {
    return this.#identities.some((identity) => identity.may(action, topic));
  }
}
