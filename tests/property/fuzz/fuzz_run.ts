/** Sends many generated requests, some at a time, and stops at the first answer that is wrong. */
import { AssertionError } from "node:assert/strict";
import { deadline } from "../../_support/until.ts";
import type { Chance } from "./chance.ts";
import type { Sender } from "./fetch_sender.ts";
import { faultOf, type FuzzAnswer } from "./fuzz_answer.ts";
import { describeRequest, type WireRequest } from "./fuzz_request.ts";
import type { FuzzRoute } from "./fuzz_route.ts";
import { Known } from "./known.ts";
import { RequestGenerator } from "./request_generator.ts";

/** Options of {@link FuzzRun}. */
export interface FuzzRunOptions {
  readonly seed: number;
  readonly routes: readonly FuzzRoute[];
  /** Headers of all requests, such as credentials. @default none */
  readonly headers?: readonly (readonly [string, string])[];
  /** How many requests are under way at once. @default 32 */
  readonly atOnce?: number;
  /** How long one may take with all of its answer, in milliseconds. @default 30000 */
  readonly deadlineMs?: number;
}

/** How often a route's requests were answered with which status. */
export type StatusCounts = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Requests of one seed, sent in as many goes as its caller likes. */
export class FuzzRun {
  readonly #options: Required<FuzzRunOptions>;
  readonly #known = new Known();
  readonly #generator: RequestGenerator;
  readonly #allows: ReadonlyMap<string, readonly string[]>;
  readonly #counts = new Map<string, Map<number, number>>();
  #next = 0;
  #answered = 0;
  #failure: unknown;

  constructor(options: FuzzRunOptions) {
    this.#options = { headers: [], atOnce: 32, deadlineMs: 30_000, ...options };
    this.#generator = new RequestGenerator(this.#options, this.#known);
    this.#allows = new Map(options.routes.map(({ name, allows = [] }) => [name, allows]));
  }

  /** How many requests were made so far, those that could not be sent included. */
  get made(): number {
    return this.#next;
  }

  /** How many were answered. */
  get answered(): number {
    return this.#answered;
  }

  /** What the answers were. */
  get counts(): StatusCounts {
    return this.#counts;
  }

  /** Learns from a text that came another way than as an answer. */
  learn(text: string): void {
    this.#known.learn(text, undefined);
  }

  /**
   * Sends the next `count` requests.
   *
   * @throws {AssertionError} An answer was wrong, or did not come; the message holds seed, number, request and answer.
   */
  async go(count: number, send: Sender): Promise<void> {
    const end = this.#next + count;
    const work = async () => {
      while (this.#next < end && this.#failure === undefined) {
        await this.#send(this.#next++, send).catch((error) => this.#failure ??= error);
      }
    };
    await Promise.all(Array.from({ length: this.#options.atOnce }, work));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #send(n: number, send: Sender): Promise<void> {
    const chance = this.#generator.chanceOf(n);
    const wire = this.#generator.make(chance);
    const answer = await this.#answer({ n, wire, chance }, send);
    if (answer === undefined) return;
    this.#answered++;
    const fault = faultOf(wire, answer, this.#allows.get(wire.route) ?? []);
    if (fault !== undefined) throw this.#fail({ n, wire }, `${fault}: ${describeAnswer(answer)}`);
    this.#count(wire.route, answer.status);
    if (answer.text !== undefined) this.#known.learn(answer.text, askedOf(wire));
  }

  async #answer(
    { n, wire, chance }: { n: number; wire: WireRequest; chance: Chance },
    send: Sender,
  ): Promise<FuzzAnswer | undefined> {
    try {
      return await deadline(send(wire, chance), this.#options.deadlineMs, "the whole answer");
    } catch (error) {
      throw this.#fail({ n, wire }, String(error));
    }
  }

  #fail({ n, wire }: { n: number; wire: WireRequest }, fault: string): AssertionError {
    const message = `Seed ${this.#options.seed}, request ${n}: ${describeRequest(wire)}\n${fault}`;
    return new AssertionError({ message });
  }

  #count(route: string, status: number): void {
    const counts = this.#counts.get(route) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#counts.set(route, counts);
  }
}

function describeAnswer({ status, headers, text }: FuzzAnswer): string {
  return JSON.stringify({ status, headers: [...headers], text: text?.slice(0, 2_000) });
}

/** What a pull asked for, which its answer does not repeat. */
function askedOf({ route, body }: WireRequest): unknown {
  if (route !== "pull" || body === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
