import type { Redis } from "ioredis";
import { setTimeout as pause } from "node:timers/promises";
import { DetourFailure, type NextReign } from "./failure.ts";
import { Script } from "./script.ts";
import { CHECK } from "./scripts/check.lua.ts";

const checkScript = new Script(CHECK, "check");

/** Least time between two attempts to have a primary confirmed, in milliseconds. */
const CONFIRM_MS = 100;

/** How long a call waits for the answer at once, in milliseconds; who tries again waits on. */
const PATIENCE_MS = 250;

/** Options of {@link PrimaryCheck}. */
export interface PrimaryCheckOptions {
  /** Runs `work` on a connection to the primary. */
  readonly run: (work: (client: Redis) => Promise<unknown>) => Promise<unknown>;
  /** Whether those who elected it stand by it. */
  readonly confirm: () => Promise<boolean>;
}

/**
 * Makes the calls of a primary. One that is refused because a generation must begin first is made again once those who
 * elected the primary stand by it, and the generation has begun.
 */
export class PrimaryCheck implements AsyncDisposable {
  readonly #options: PrimaryCheckOptions;
  #asking: Promise<boolean> | undefined;

  constructor(options: PrimaryCheckOptions) {
    this.#options = options;
  }

  /** Makes a call. */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof DetourFailure) || error.detour.kind !== "unconfirmed") throw error;
      if (!await this.#isConfirmedSoon()) throw error;
      await this.#begin(error.detour.reign);
      return await call();
    }
  }

  /** Resolves when nobody is asked any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asking?.catch(() => {});
  }

  /** Whether those who elected the primary stand by it; all who ask at the same time get the same answer. */
  async isConfirmed(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    return await this.#asking;
  }

  async #isConfirmedSoon(): Promise<boolean> {
    const answered = new AbortController();
    const { signal } = answered;
    const late = pause(PATIENCE_MS, false, { signal }).catch(() => false);
    try {
      return await Promise.race([this.isConfirmed(), late]);
    } finally {
      answered.abort();
    }
  }

  async #ask(): Promise<boolean> {
    const isConfirmed = await this.#options.confirm();
    if (!isConfirmed) await pause(CONFIRM_MS);
    return isConfirmed;
  }

  async #begin({ run, seen, meta, gens }: NextReign): Promise<void> {
    const call = { keys: [meta, gens], args: [`${seen}e${run}`] };
    await this.#options.run((client) => checkScript.run(client, call));
  }
}
