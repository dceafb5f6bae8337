import { Histogram } from "./histogram.ts";

/** Most kinds of commands that have a row of their own: code names them, so that there are some dozens. */
const KINDS_MOST = 100;

/** How long commands of one kind took. */
export class CommandTimes {
  readonly time = new Histogram();
  /** How many were refused, or had no answer. */
  failed = 0;

  /** Notes one that was answered after so many milliseconds. */
  done(ms: number): void {
    this.time.observe(ms);
  }
}

/** How long Redis took for what it was asked, by the script or command. */
export class CommandMetrics {
  readonly #kinds = new Map<string, CommandTimes>();

  /** The row of a kind. */
  of(kind: string): CommandTimes {
    const name = this.#kinds.has(kind) || this.#kinds.size < KINDS_MOST ? kind : "other";
    let times = this.#kinds.get(name);
    if (times === undefined) this.#kinds.set(name, times = new CommandTimes());
    return times;
  }

  /** All rows. */
  all(): ReadonlyMap<string, CommandTimes> {
    return this.#kinds;
  }
}
