/** How the attempt under way ends, for any number that wait for it; then the next one begins. */
export class Attempt {
  #end = Promise.withResolvers<void>();

  /** Resolves when the attempt succeeds; rejects with why it failed. */
  get end(): Promise<void> {
    return this.#end.promise;
  }

  /** It came to something: whoever waits looks again. */
  succeed(): void {
    this.#next().resolve();
  }

  /** It failed. */
  fail(error: unknown): void {
    const { promise, reject } = this.#next();
    promise.catch(() => {});
    reject(error);
  }

  /** It failed, and there is no other. */
  giveUp(error: unknown): void {
    this.#end.promise.catch(() => {});
    this.#end.reject(error);
  }

  #next(): PromiseWithResolvers<void> {
    const ended = this.#end;
    this.#end = Promise.withResolvers();
    return ended;
  }
}
