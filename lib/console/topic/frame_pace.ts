/** How many times as long as a painting took there is none after it, so that most of the time is left for people. */
const REST = 4;
const REST_MOST_MS = 250;

/**
 * Paints at most once a frame, and less often where painting takes long, however often it is asked to. In a hidden tab
 * it waits until that is seen.
 */
export class FramePace {
  readonly #paint: () => void;
  #isAsked = false;
  #isOver = false;
  #restUntil = 0;

  constructor(paint: () => void) {
    this.#paint = paint;
  }

  /** Asks for a painting. */
  ask(): void {
    if (this.#isAsked || this.#isOver) return;
    this.#isAsked = true;
    const rest = this.#restUntil - performance.now();
    if (rest > 0) setTimeout(() => requestAnimationFrame(this.#frame), rest);
    else requestAnimationFrame(this.#frame);
  }

  /** Paints no more. */
  end(): void {
    this.#isOver = true;
  }

  readonly #frame = (): void => {
    this.#isAsked = false;
    if (this.#isOver) return;
    const start = performance.now();
    this.#paint();
    // what the browser does with it comes before the next task
    setTimeout(() => {
      const end = performance.now();
      this.#restUntil = end + Math.min((end - start) * REST, REST_MOST_MS);
    });
  };
}
