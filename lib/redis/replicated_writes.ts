import type { ChainableCommander, Redis } from "ioredis";
import { setImmediate as turn } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { RedisFailure, toRedisFailure } from "./failure.ts";
import type { RedisOptions } from "./options.ts";
import { throwFirst } from "./replies.ts";

/** A call that is to be on replicas as well. */
export interface ReplicatedCall {
  /** Adds the one command that it is; it must be one that may be sent again. */
  readonly add: (pipeline: ChainableCommander) => void;
  /** How many replicas must have it. */
  readonly replicas: number;
  /** Until when Redis may wait for them, in `performance.now()` milliseconds. */
  readonly until: number;
}

/** What became of a {@link ReplicatedCall}. */
export interface ReplicatedReply {
  readonly reply: unknown;
  /** How many replicas have it. */
  readonly replicas: number;
}

interface Waiting {
  readonly call: ReplicatedCall;
  readonly resolve: (reply: ReplicatedReply) => void;
  readonly reject: (failure: RedisFailure) => void;
}

/** How long Redis waits for replicas at the most, in milliseconds. */
const WAIT_MS = 1_000;
/** Which part of the time that a command may take is left for that: it is answered within that time, or costs the link. */
const WAIT_PART = 0.6;
/** How long where it has just waited in vain: most likely a replica is away, and others wait for their turn. */
const SHORT_WAIT_MS = 300;

/**
 * Calls of all partitions of a Redis that wait for the same number of replicas, on a connection of their own: WAIT looks at
 * what its own connection has written, and Redis answers nothing else there meanwhile. So whoever comes while Redis waits
 * goes with the next ones, and one WAIT serves all that go together.
 */
export class ReplicatedWrites implements AsyncDisposable {
  readonly #replicas: number;
  readonly #connection: Connection;
  #waiting: Waiting[] = [];
  #work: Promise<void> | undefined;
  readonly #longestMs: number;
  #waitMs: number;

  constructor(options: RedisOptions, replicas: number) {
    this.#replicas = replicas;
    this.#longestMs = Math.min(WAIT_MS, WAIT_PART * options.commandTimeoutMs);
    this.#waitMs = this.#longestMs;
    this.#connection = new Connection(options);
  }

  /**
   * Makes a call, and waits for replicas.
   *
   * @throws RedisFailure why it was not made, or that this is not known
   */
  write(call: ReplicatedCall): Promise<ReplicatedReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      this.#work ??= this.#sendAll();
    });
  }

  /** Drops the link and dials anew. */
  reset(): void {
    this.#connection.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.#work;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // those that were just answered may have something more, and go with the others
      await turn();
      const all = this.#waiting;
      this.#waiting = [];
      const now = performance.now();
      const inTime = all.filter(({ call }) => call.until > now);
      for (const one of all) if (!inTime.includes(one)) one.reject(tooLate());
      if (inTime.length > 0) await this.#send(inTime);
    }
    this.#work = undefined;
  }

  async #send(all: readonly Waiting[]): Promise<void> {
    const left = Math.min(...all.map(({ call }) => call.until)) - performance.now();
    const waitMs = Math.max(1, Math.round(Math.min(this.#waitMs, left)));
    try {
      const replies = await this.#connection.run((client) => this.#sendTo(client, all, waitMs));
      const replicas = Number(throwFirst(replies.slice(-1))[0]);
      this.#waitMs = replicas < this.#replicas
        ? Math.min(SHORT_WAIT_MS, this.#longestMs)
        : this.#longestMs;
      for (const [i, { resolve, reject }] of all.entries()) {
        const [error, reply] = replies[i] ?? [null, undefined];
        if (error === null) resolve({ reply, replicas });
        else reject(toRedisFailure(error, true));
      }
    } catch (error) {
      for (const { reject } of all) reject(toRedisFailure(error, true));
    }
  }

  async #sendTo(
    client: Redis,
    all: readonly Waiting[],
    waitMs: number,
  ): Promise<[error: Error | null, reply: unknown][]> {
    const pipeline = client.pipeline();
    for (const { call } of all) call.add(pipeline);
    const replies = await pipeline.wait(this.#replicas, waitMs).exec() ?? [];
    // what Redis refuses concerns one of them; a link that is lost or silent concerns all
    const lost = replies.find(([error]) => error !== null && error.name !== "ReplyError");
    if (lost !== undefined || replies.length === 0) throwFirst(lost === undefined ? null : [lost]);
    return replies;
  }
}

function tooLate(): RedisFailure {
  return new RedisFailure("redis_timeout", "Redis waits for replicas of others", {
    outcome: "unsent",
  });
}
