import { formatId, type Id } from "../codec/id.ts";
import type { Position } from "../redis/position.ts";
import { nextTurn } from "./wait.ts";

/** What a position is asked for. */
export interface PositionQuestion {
  readonly cursor: Id;
  /** Whether the cursor may be of another partition. */
  readonly isGuess: boolean;
  readonly topics: readonly string[];
}

/**
 * Calls that read where a partition stands, shared by whoever asks the same in one turn of the event loop, so that a
 * thousand clients that come back to one topic cost a few. A call is sent when its turn is over and nobody joins it
 * later: what it answers was never read before it was asked for.
 */
export class PositionCalls {
  readonly #send: (question: PositionQuestion) => Promise<Position>;
  #turn = new Map<string, Promise<Position>>();

  constructor(send: (question: PositionQuestion) => Promise<Position>) {
    this.#send = send;
  }

  /**
   * Reads a position.
   *
   * @throws what sending throws
   */
  get(question: PositionQuestion): Promise<Position> {
    const { cursor, isGuess, topics } = question;
    // no topic has a comma in it
    const key = `${isGuess ? "~" : ""}${formatId(cursor)} ${topics.join()}`;
    const joined = this.#turn.get(key);
    if (joined !== undefined) return joined;
    const turn = this.#turn;
    const call = nextTurn().then(() => {
      if (this.#turn === turn) this.#turn = new Map();
      return this.#send(question);
    });
    turn.set(key, call);
    return call;
  }
}
