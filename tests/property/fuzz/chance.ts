/** What a generator decides by. */
import { randomSource } from "../../_support/random.ts";

/** Decisions that are the same for the same seed. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomSource(seed);
  }

  /** A whole number from 0 (included) to `below` (excluded). */
  int(below: number): number {
    return Math.floor(this.#next() * below);
  }

  /** Whether something that is so likely, from 0 to 1, comes to pass. */
  is(likelihood: number): boolean {
    return this.#next() < likelihood;
  }

  /** @throws {RangeError} where there is nothing to pick from */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("Cannot pick: there is nothing");
    // the index is below the length
    return list[this.int(list.length)] as T;
  }

  /** One of some things, each as likely as its weight says. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.#next() * list.reduce((sum, { weight }) => sum + weight, 0);
    return list.find(({ weight }) => (left -= weight) < 0) ?? this.pick(list);
  }

  /** From `least` to `most` things. */
  some<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.int(most - least + 1) }, make);
  }

  /** Each of the optional fields as likely as said. */
  fields(
    likelihood: number,
    makers: Readonly<Record<string, () => unknown>>,
  ): Record<string, unknown> {
    const given: Record<string, unknown> = {};
    for (const [name, make] of Object.entries(makers)) {
      if (this.is(likelihood)) given[name] = make();
    }
    return given;
  }

  /** Bytes of any value; of many, the later ones repeat the first. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const some = Uint8Array.from({ length: Math.min(length, 256) }, () => this.int(256));
    return length <= some.length ? some : Uint8Array.from({ length }, (_, i) => some[i % 256] ?? 0);
  }
}
