/** What making the load took, of the things that took turns. */
import type { Row, Things } from "./bench.ts";
import type { Throughput } from "./load_process.ts";
import { type Sample, sampleOf } from "./statistics.ts";

/** Notes the cores that making the load took, by the names of what was measured meanwhile. */
export class LoadLog {
  readonly #rounds = new Map<string, number[]>();

  /** Adds a round. */
  note(name: string, loadCpu: number): void {
    const rounds = this.#rounds.get(name);
    if (rounds) rounds.push(loadCpu);
    else this.#rounds.set(name, [loadCpu]);
  }

  /** Makes things of measurements, each round of which is noted. */
  things<Name extends string>(
    measurements: Readonly<Record<Name, () => Promise<Throughput>>>,
  ): Things<Name> {
    const things = Object.entries<() => Promise<Throughput>>(measurements).map((
      [name, measure],
    ) => [name, async () => {
      const { rate, loadCpu } = await measure();
      this.note(name, loadCpu);
      return rate;
    }]);
    // the names are those of the measurements
    return Object.fromEntries(things);
  }

  /** The part of a row that compares these two; empty where nothing is noted of the first. */
  partOf(runnel: string, baseline: string): Pick<Row, "loadCpu"> {
    const [own, other] = [this.#sample(runnel), this.#sample(baseline)];
    if (!own) return {};
    return { loadCpu: { runnel: own, ...(other ? { baseline: other } : {}) } };
  }

  #sample(name: string): Sample | undefined {
    const rounds = this.#rounds.get(name);
    return rounds && sampleOf(rounds);
  }
}
