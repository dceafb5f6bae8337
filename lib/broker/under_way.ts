/**
 * Counts what is under way, and tells when all of it is over that began before a moment. A set of promises would say the
 * same, and cost each of them more than a number.
 */
export class UnderWay {
  #now = new Company();
  #before: Promise<unknown> = Promise.resolve();

  /** Something begins; whoever gets the company calls its `leave` once, when it is over. */
  enter(): Company {
    this.#now.enter();
    return this.#now;
  }

  /** Resolves when all is over that began before the call, whatever begins meanwhile. */
  async settled(): Promise<void> {
    const company = this.#now;
    this.#now = new Company();
    this.#before = Promise.all([this.#before, company.over()]);
    await this.#before;
  }
}

/** What began between two looks. */
class Company {
  #count = 0;
  #over: PromiseWithResolvers<void> | undefined;

  enter(): void {
    this.#count++;
  }

  leave(): void {
    if (--this.#count === 0) this.#over?.resolve();
  }

  /** Resolves when all have left; to be asked for when nobody enters any more. */
  async over(): Promise<void> {
    if (this.#count === 0) return;
    this.#over ??= Promise.withResolvers();
    await this.#over.promise;
  }
}
