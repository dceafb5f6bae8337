import type { Stats } from "../../codec/stats.ts";
import { type Summary, summaryOf } from "./summary.ts";

/** Seconds that are shown at the most. */
export const SHOWN_SECONDS = 300;

/** Seconds that are shown at the least. */
const LEAST_SECONDS = 60;

/** What an instance did not say in a second, it said in the one before or after: a tick that came early or late. */
const NEAR_SECONDS = [1, -1, 0] as const;

/** Some seconds, one after the other. */
export interface Timeline {
  /** Seconds since 1970. */
  readonly seconds: readonly number[];
  /** What was in each of them; undefined where nobody said anything. */
  readonly summaries: readonly (Summary | undefined)[];
}

/** What all instances said of the last minutes. */
export class History {
  readonly #seconds = new Map<number, Map<string, Stats>>();
  /** What was put together of a second; with many instances that is not done anew for each look. */
  readonly #summaries = new Map<number, Summary | undefined>();
  #first = Infinity;
  #newest = -Infinity;
  #version = 0;

  /** The last second of which there is a report; -Infinity before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Rises with each report. */
  get version(): number {
    return this.#version;
  }

  /** Takes a report. */
  add(report: Stats): void {
    const second = Math.floor(Date.parse(report.time) / 1_000);
    if (Number.isNaN(second)) return;
    // a clock that was set back would never be shown again
    if (second < this.#newest - SHOWN_SECONDS) this.#forget();
    this.#first = Math.min(this.#first, second);
    this.#newest = Math.max(this.#newest, second);
    const reports = this.#seconds.get(second) ?? new Map<string, Stats>();
    this.#seconds.set(second, reports.set(report.instance, report));
    for (const away of NEAR_SECONDS) this.#summaries.delete(second + away);
    this.#version++;
    for (const old of this.#seconds.keys()) {
      if (old < this.#newest - SHOWN_SECONDS - 1) this.#seconds.delete(old);
    }
    for (const old of this.#summaries.keys()) {
      if (old < this.#newest - SHOWN_SECONDS) this.#summaries.delete(old);
    }
  }

  /** What was in the seconds up to one: minutes, or since the first report where that is less. */
  upTo(last: number): Timeline {
    const known = last - this.#first + 1;
    const length = Math.min(Math.max(known, LEAST_SECONDS), SHOWN_SECONDS);
    const seconds = Array.from({ length }, (_, i) => last - length + 1 + i);
    return { seconds, summaries: seconds.map((second) => this.at(second)) };
  }

  /** What was in a second. */
  at(second: number): Summary | undefined {
    if (this.#summaries.has(second)) return this.#summaries.get(second);
    const reports = new Map<string, Stats>();
    for (const away of NEAR_SECONDS) {
      for (const [instance, report] of this.#seconds.get(second + away) ?? []) {
        reports.set(instance, report);
      }
    }
    const summary = summaryOf([...reports.values()]);
    this.#summaries.set(second, summary);
    return summary;
  }

  #forget(): void {
    this.#seconds.clear();
    this.#summaries.clear();
    this.#first = Infinity;
    this.#newest = -Infinity;
  }
}
