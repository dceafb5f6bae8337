import type { ByeReason } from "./encoder.ts";

/** What ends a stream beside its client. */
export interface LifetimeOptions {
  /** Ends after so many milliseconds. @default never */
  readonly lifetimeMs?: number;
  /** When the credential ends that opened it, in milliseconds since 1970. @default never */
  readonly expiresAt?: number;
  /** Aborts when that credential is taken back. @default never */
  readonly revoked?: AbortSignal;
}

/** What a {@link Lifetime} calls. */
export interface LifetimeEvents {
  readonly end: (reason: ByeReason) => void;
  /** The credential ends in so many milliseconds. */
  readonly expiring: (inMs: number) => void;
}

/** How long before the end a client is told that its credential will have ended; half the time where that is less. */
const WARNING_MS = 60_000;
/** Timers take no more. */
const TIMER_MOST_MS = 2_147_483_647;

/** Ends a stream when its time is over, or its credential's, until it is disposed; undefined where nothing will. */
export function lifetimeOf(
  options: LifetimeOptions,
  events: LifetimeEvents,
): Disposable | undefined {
  const { lifetimeMs, expiresAt, revoked } = options;
  const isEndless = lifetimeMs === undefined && expiresAt === undefined && revoked === undefined;
  return isEndless ? undefined : new Lifetime(options, events);
}

class Lifetime implements Disposable {
  readonly #events: LifetimeEvents;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #revoked: AbortSignal | undefined;
  readonly #onRevoked = () => this.#events.end("auth_revoked");

  constructor({ lifetimeMs, expiresAt, revoked }: LifetimeOptions, events: LifetimeEvents) {
    this.#events = events;
    this.#revoked = revoked;
    if (lifetimeMs !== undefined) this.#at(Date.now() + lifetimeMs, () => events.end("time"));
    if (expiresAt !== undefined) {
      const warnsAt = expiresAt - Math.min(WARNING_MS, (expiresAt - Date.now()) / 2);
      this.#at(warnsAt, () => events.expiring(Math.max(0, expiresAt - Date.now())));
      this.#at(expiresAt, () => events.end("auth_expired"));
    }
    revoked?.addEventListener("abort", this.#onRevoked, { once: true });
    if (revoked?.aborted) this.#onRevoked();
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#revoked?.removeEventListener("abort", this.#onRevoked);
  }

  #at(time: number, act: () => void): void {
    const left = time - Date.now();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (time - Date.now() > 0) this.#at(time, act);
      else act();
    }, Math.min(Math.max(left, 0), TIMER_MOST_MS));
    this.#timers.add(timer);
  }
}
