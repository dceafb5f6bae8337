import { type Closed, shuttingDown } from "./closed.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ConfirmationStore } from "../redis/confirmation_store.ts";
import type { Outcome } from "./commit_plan.ts";
import type { Feed } from "./feed.ts";
import { Handover } from "./handover.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { Recheck } from "./recheck.ts";
import { sendUntilKnown } from "./resend.ts";
import { within } from "./wait.ts";

/** Options of {@link Confirmations}. */
export interface ConfirmationsOptions {
  readonly store: Pick<ConfirmationStore, "register" | "confirm" | "count">;
  readonly feed: Feed;
  /** Stores a message. */
  readonly publish: (message: PreparedMessage) => Promise<Outcome>;
  readonly log: Logger;
  readonly processId: string;
  /** Most publishers that wait at a time; more are refused. @default 20000 */
  readonly most?: number;
  /** Why nothing new is taken after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** What a publisher waits for. */
export interface Confirm {
  /** How many distinct subscriptions must have confirmed the message. */
  readonly subscribers: number;
  /** How long to wait for them, in milliseconds. */
  readonly timeoutMs: number;
}

/** What became of a message whose publisher waited. */
export interface ConfirmedOutcome {
  readonly id: string;
  readonly duplicate: boolean;
  /** Whether enough subscriptions have confirmed it. */
  readonly confirmed: boolean;
  /** How many have. */
  readonly confirmations: number;
  /** How many replicas have the message; only where that was waited for. */
  readonly replicas?: number;
}

/** A publisher whose message is stored, and who waits for confirmations. */
export interface WaitingPublisher extends Confirm {
  readonly id: string;
  readonly topic: string;
  readonly duplicate: boolean;
  readonly replicas?: number;
  /** When it is answered at the latest, by `performance.now()`. */
  readonly until: number;
}

interface Waiter extends WaitingPublisher {
  readonly publisher: WaitingPublisher;
  readonly end: PromiseWithResolvers<void>;
  count: number;
}

const PATIENCE_MS = 1_800;

/**
 * Publishers of this process that wait until subscriptions have confirmed their message. Confirmations are counted in
 * Redis and announced on the process's own channel; what the feed's link lost is counted there again, and the count that
 * is answered at the end is Redis's.
 */
export class Confirmations implements AsyncDisposable {
  readonly #options: Required<ConfirmationsOptions>;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Waiters that are not known to be told of everything. */
  readonly #recheck: Recheck<Waiter>;
  #size = 0;
  #leave: (() => void) | undefined;
  #draining = false;
  #emptied: PromiseWithResolvers<void> | undefined;

  constructor(options: ConfirmationsOptions) {
    this.#options = {
      most: 20_000,
      closed: shuttingDown,
      ...options,
    };
    this.#recheck = new Recheck({
      check: async (some) => void await Promise.all(some.map((waiter) => this.#register(waiter))),
      isOpen: (waiter) => this.#waiters.get(waiter.id)?.has(waiter) ?? false,
      log: options.log,
    });
  }

  /** How many publishers wait now. */
  get size(): number {
    return this.#size;
  }

  /**
   * Publishes a message and waits until it is confirmed, for no longer than its publisher allows. A duplicate waits for
   * the confirmations of the message that was stored.
   *
   * @param signal ends the waiting: the publisher has gone
   * @throws RunnelError why it was not published
   * @throws {Handover} A {@link WaitingPublisher}, where it is to {@link resume} elsewhere.
   */
  async publish(
    message: PreparedMessage,
    confirm: Confirm,
    signal: AbortSignal,
  ): Promise<ConfirmedOutcome> {
    if (this.#draining) throw this.#options.closed();
    if (this.#size >= this.#options.most) {
      throw new RunnelError("overloaded", "Too many publishers wait for confirmations");
    }
    this.#size++;
    try {
      const stored = await this.#publish(message, confirm);
      const until = performance.now() + confirm.timeoutMs;
      return await this.#answer({ ...stored, ...confirm, topic: message.topic, until }, signal);
    } finally {
      if (--this.#size === 0) this.#emptied?.resolve();
    }
  }

  /** Goes on with a publisher whose message was stored where its partition was before. */
  async resume(publisher: WaitingPublisher, signal: AbortSignal): Promise<ConfirmedOutcome> {
    this.#size++;
    try {
      this.#attend();
      return await this.#answer(publisher, signal);
    } finally {
      if (--this.#size === 0) this.#emptied?.resolve();
    }
  }

  /**
   * Counts a subscription's confirmations of messages.
   *
   * @returns how many were counted, now or before, and which messages nobody waits for
   * @throws RunnelError why Redis did not take them
   */
  async confirm(
    confirmation: {
      readonly topic: string;
      readonly ids: readonly string[];
      readonly subscription: string;
    },
  ): Promise<{ done: number; unknown: string[] }> {
    const counted = await sendUntilKnown(() => this.#options.store.confirm(confirmation), {
      deadline: performance.now() + PATIENCE_MS,
      unknown: "Redis was lost before it answered: confirm again, and it is counted once",
    });
    const unknown = confirmation.ids.filter((_, i) => counted[i] !== true);
    return { done: confirmation.ids.length - unknown.length, unknown };
  }

  /** Answers those who wait with the count so far, since their messages are stored, or hands them over; nothing new is taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    this.#emptied ??= Promise.withResolvers();
    if (this.#size === 0) this.#emptied.resolve();
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) this.#dismiss(waiter);
    }
    await this.#emptied.promise;
    this.#leave?.();
    await this.#recheck[Symbol.asyncDispose]();
  }

  #attend(): void {
    this.#leave ??= this.#options.feed.attend({
      onConfirmation: (id, count) => {
        for (const waiter of this.#waiters.get(id) ?? []) learn(waiter, count);
      },
      onOnline: () => {
        for (const waiters of this.#waiters.values()) this.#recheck.add(waiters);
      },
    });
  }

  async #publish(
    message: PreparedMessage,
    { subscribers: n, timeoutMs: ms }: Confirm,
  ): Promise<{ id: string; duplicate: boolean; replicas?: number }> {
    const { feed, publish, processId: proc } = this.#options;
    this.#attend();
    const late = () => new RunnelError("redis_timeout");
    await within(PATIENCE_MS, late, (signal) => feed.online(signal));
    const options = message.options === "" ? {} : JSON.parse(message.options);
    const conf = { n, ms, proc };
    const outcome = await publish({ ...message, options: JSON.stringify({ ...options, conf }) });
    if (outcome instanceof RunnelError) throw outcome;
    if (outcome.id !== null) return outcome;
    const detail = "The idempotency key was used for a message that is kept for later";
    throw new RunnelError("idempotency_conflict", detail);
  }

  async #answer(publisher: WaitingPublisher, signal: AbortSignal): Promise<ConfirmedOutcome> {
    const { id, duplicate, replicas, subscribers } = publisher;
    const confirmations = await this.#wait(publisher, signal);
    return {
      ...{ id, duplicate, confirmed: confirmations >= subscribers, confirmations },
      ...(replicas === undefined ? {} : { replicas }),
    };
  }

  #dismiss({ publisher, end }: Waiter): void {
    if (this.#options.closed().code === "partition_split") end.reject(new Handover(publisher));
    else end.resolve();
  }

  async #wait(publisher: WaitingPublisher, signal: AbortSignal): Promise<number> {
    const waiter: Waiter = { ...publisher, publisher, end: Promise.withResolvers(), count: 0 };
    const { end, id } = waiter;
    const leave = () => end.reject(new RunnelError("client_closed"));
    if (signal.aborted) leave();
    if (this.#draining) this.#dismiss(waiter);
    signal.addEventListener("abort", leave, { once: true });
    const leftMs = Math.max(0, publisher.until - performance.now());
    const timer = setTimeout(() => end.resolve(), leftMs);
    let waiters = this.#waiters.get(id);
    if (waiters === undefined) this.#waiters.set(id, waiters = new Set());
    waiters.add(waiter);
    // only from now on is it told of confirmations, and some may have come before
    this.#recheck.add([waiter]);
    try {
      await end.promise;
      if (waiter.count < waiter.subscribers) await this.#countAgain(waiter);
      return waiter.count;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      this.#recheck.forget(waiter);
      waiters.delete(waiter);
      if (waiters.size === 0) this.#waiters.delete(id);
    }
  }

  // where Redis is away now, what was heard of until then is the answer: the message is stored
  async #countAgain(waiter: Waiter): Promise<void> {
    try {
      learn(waiter, await this.#options.store.count(waiter.id));
    } catch (error) {
      this.#options.log.debug("confirmations could not be counted", { error });
    }
  }

  async #register(waiter: Waiter): Promise<void> {
    const { store, processId } = this.#options;
    const { id, topic, subscribers: wanted, until } = waiter;
    const timeoutMs = Math.max(1, Math.round(until - performance.now()));
    learn(waiter, await store.register({ id, topic, wanted, processId, timeoutMs }));
  }
}

function learn(waiter: Waiter, count: number): void {
  waiter.count = Math.max(waiter.count, count);
  if (waiter.count >= waiter.subscribers) waiter.end.resolve();
}
