import { RunnelError } from "../errors.ts";

/** Where points are counted, for all processes together. */
export interface RateStore {
  /**
   * Takes points from those that a name has in a second, all or none.
   *
   * @throws {RunnelError} Why they cannot be counted.
   */
  take(
    name: string,
    question: { readonly points: number; readonly rate: number },
  ): Promise<{
    readonly granted: boolean;
    /** How many are left. */
    readonly remaining: number;
    /** When there are all of them again, in milliseconds from now. */
    readonly resetMs: number;
  }>;
}

/** Options of {@link PublishQuota}. */
export interface PublishQuotaOptions {
  /** Messages that an identity may publish in a second, at all processes together. */
  readonly rate: number;
  readonly store: RateStore;
  /** How many identities are remembered; of others the store is asked. @default 10000 */
  readonly remembered?: number;
}

/** What was given of messages that somebody wants to publish. */
export interface Granted {
  /** How many may be published. */
  readonly messages: number;
  /** What the answer says of it: `ratelimit-policy` and `ratelimit`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Makes what is answered for those that may not. */
  refusal(): RunnelError;
}

/** What the headers of an answer say, where `RUNNEL_PUBLISH_RATE` is set. */
export const QUOTA_HEADERS = {
  "ratelimit-policy": "How many messages may be published in a second, where that is limited.",
  ratelimit: "How many of them are left, and when there are all again.",
} as const;

/** The part of a second's messages that is leased at a time at the most: below so many a second every one is counted. */
const LEASE_PART = 1 / 50;
const WINDOW_MS = 1_000;
/** How often the store is asked before it counts as used up: others may take what it just had. */
const TRIES = 5;

/**
 * Hands out the messages that identities may publish in a second. They are counted in the store, where all processes
 * take from the same; a process that publishes many leases some at a time, never more than it has used in that second.
 * A lease ends with the second that it was counted in, so that all processes together never give more than there are.
 */
export class PublishQuota {
  readonly #options: Required<PublishQuotaOptions>;
  readonly #accounts = new Map<string, Account>();

  constructor(options: PublishQuotaOptions) {
    this.#options = { remembered: 10_000, ...options };
  }

  /** What every answer says of the rate. */
  get policy(): Readonly<Record<string, string>> {
    return { "ratelimit-policy": `"publish";q=${this.#options.rate};w=1` };
  }

  /**
   * Takes all the messages of a request.
   *
   * @throws {RunnelError} `rate_limited`, or why they cannot be counted.
   */
  async take(name: string, messages: number): Promise<Granted> {
    const granted = await this.#ask(name, { points: messages, isWhole: true });
    if (granted.messages < messages) throw granted.refusal();
    return granted;
  }

  /**
   * Takes as many messages as there are, up to so many.
   *
   * @throws {RunnelError} Why they cannot be counted.
   */
  async takeSome(name: string, messages: number): Promise<Granted> {
    return await this.#ask(name, { points: messages, isWhole: false });
  }

  async #ask(name: string, wish: Wish): Promise<Granted> {
    const account = this.#accountOf(name);
    const messages = await account.take(wish);
    const { rate } = this.#options;
    const { left, resetMs } = account;
    const seconds = Math.max(1, Math.ceil(resetMs / 1_000));
    const headers = { ...this.policy, ratelimit: `"publish";r=${left};t=${seconds}` };
    const refusal = () =>
      new RunnelError("rate_limited", `At most ${rate} messages in a second`, {
        headers: { ...headers, "retry-after": `${seconds}` },
        audit: { limit: "publish rate" },
      });
    return { messages, headers, refusal };
  }

  #accountOf(name: string): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined && !known.isOver) return known;
    const { rate, store, remembered } = this.#options;
    const account = known ?? new Account((points) => store.take(name, { points, rate }), rate);
    // the one that was used last is the last to be forgotten
    this.#accounts.delete(name);
    this.#accounts.set(name, account);
    if (this.#accounts.size > remembered) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    return account;
  }
}

/** What somebody wants: so many points, or as many of them as there are. */
interface Wish {
  readonly points: number;
  readonly isWhole: boolean;
}

interface Waiting extends Wish {
  readonly turn: PromiseWithResolvers<number>;
}

/** What this process knows of one identity's points. Forgetting it is safe: the store knows what was given. */
class Account {
  readonly #takeFromStore: (points: number) => ReturnType<RateStore["take"]>;
  readonly #rate: number;
  readonly #waiting: Waiting[] = [];
  #isAsking = false;
  /** Points that were leased and not used yet, and until when they are good. */
  #leased = 0;
  #leasedUntil = 0;
  /** The most that the store can have, and until when that is known. */
  #stored: number;
  #storedUntil = 0;
  /** Points that were given in this second. */
  #used = 0;

  constructor(takeFromStore: (points: number) => ReturnType<RateStore["take"]>, rate: number) {
    this.#takeFromStore = takeFromStore;
    this.#rate = rate;
    this.#stored = rate;
  }

  /** Whether what is known of it was of an earlier second. */
  get isOver(): boolean {
    return performance.now() >= this.#storedUntil;
  }

  /** How many points there are, as far as is known. */
  get left(): number {
    return this.#leased + this.#stored;
  }

  /** When there are all again, in milliseconds. */
  get resetMs(): number {
    return Math.max(this.#storedUntil - performance.now(), 0);
  }

  /**
   * Takes points; whoever comes while the store is being asked is asked for with the others that did.
   *
   * @returns how many there were
   */
  take(wish: Wish): Promise<number> | number {
    // nobody overtakes those who wait
    if (!this.#isAsking) {
      this.#begin();
      if (wish.points <= this.#leased) return this.#give([wish])[0] ?? 0;
    }
    const turn = Promise.withResolvers<number>();
    this.#waiting.push({ ...wish, turn });
    if (!this.#isAsking) void this.#ask();
    return turn.promise;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const wishes = this.#waiting.splice(0);
      try {
        await this.#fill(wishes);
        const given = this.#give(wishes);
        for (const [i, { turn }] of wishes.entries()) turn.resolve(given[i] ?? 0);
      } catch (error) {
        for (const { turn } of wishes) turn.reject(error);
      }
    }
    this.#isAsking = false;
  }

  /** Leases what the wishes need, as far as the store has it. */
  async #fill(wishes: readonly Wish[]): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      this.#begin();
      const fitting = sum(share(wishes, this.#leased + this.#stored));
      const missing = fitting - this.#leased;
      if (missing <= 0) return;
      const ahead = Math.min(this.#used, Math.floor(this.#rate * LEASE_PART));
      const points = Math.min(Math.max(missing, ahead), this.#stored);
      const sentAt = performance.now();
      const { granted, remaining, resetMs } = await this.#takeFromStore(points);
      // counted from when it was sent, it is over no later than the store's own second
      this.#storedUntil = sentAt + Math.min(resetMs, WINDOW_MS);
      this.#stored = remaining;
      if (!granted) continue;
      this.#leased += points;
      this.#leasedUntil = this.#storedUntil;
      return;
    }
  }

  #give(wishes: readonly Wish[]): number[] {
    const given = share(wishes, this.#leased);
    this.#leased -= sum(given);
    this.#used += sum(given);
    return given;
  }

  /** Forgets what was of an earlier second. */
  #begin(): void {
    const now = performance.now();
    if (now >= this.#leasedUntil) this.#leased = 0;
    if (now < this.#storedUntil) return;
    this.#stored = this.#rate;
    this.#used = 0;
  }
}

/** What each wish gets of so many points, in order; one that is to be whole gets all or nothing. */
function share(wishes: readonly Wish[], points: number): number[] {
  let left = points;
  return wishes.map((wish) => {
    const given = wish.isWhole && wish.points > left ? 0 : Math.min(wish.points, left);
    left -= given;
    return given;
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
