/**
 * The highest generation that this process has seen of a partition. Every call says it, so that a primary that has fallen
 * behind is never read and never written.
 */
export class Reign {
  #seen = 0;

  /** The highest generation so far; 0 before the first answer. */
  get seen(): number {
    return this.#seen;
  }

  /** Takes note of an answer's generation. */
  saw(generation: number): void {
    if (generation > this.#seen) this.#seen = generation;
  }
}
