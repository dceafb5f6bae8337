import type { Api } from "../api.ts";
import { CliError } from "../cli_error.ts";
import { readEvents } from "../event_stream.ts";

/** What the instances of a deployment say of themselves, together; figures are a second's. */
export interface DeploymentStats {
  readonly instances: number;
  readonly in: number;
  readonly out: number;
  readonly errors: number;
  /** Open streams. */
  readonly subscribers: number;
  /** Slowest answer of a Redis in milliseconds; undefined where none answered. */
  readonly redisMs: number | undefined;
  /** Memory of all Redis together. */
  readonly redisBytes: number | undefined;
  /** Of all groups; undefined where it is not said. */
  readonly groups:
    | { readonly lag: number; readonly pending: number; readonly dead: number }
    | undefined;
}

/** One message of the topic `$stats`. */
interface Report {
  readonly instance: string;
  readonly intervalMs?: number;
  readonly in?: number;
  readonly out?: number;
  readonly errors?: number;
  readonly subscribers?: number;
  readonly redis?: readonly { latencyMs?: number | null; memoryBytes?: number | null }[];
  readonly groups?: { lag: number; pending: number; dead: number };
}

/** An instance that said nothing for so long has ended. */
const FRESH_MS = 3_500;

/** Listens to `$stats`, where the server has it and this caller may; else there is nothing to be had from it. */
export class StatsFeed {
  readonly #reports = new Map<string, { readonly report: Report; readonly at: number }>();
  readonly #signal: AbortSignal;
  /** Resolves when it has ended, some time after the signal has aborted. */
  readonly ended: Promise<void>;

  constructor(api: Api, signal: AbortSignal) {
    this.#signal = signal;
    this.ended = this.#listen(api);
  }

  /** The newest of every instance; undefined where there is none. */
  get latest(): DeploymentStats | undefined {
    const now = performance.now();
    for (const [instance, { at }] of this.#reports) {
      if (now - at > FRESH_MS) this.#reports.delete(instance);
    }
    return sumOf([...this.#reports.values()].map(({ report }) => report));
  }

  async #listen(api: Api): Promise<void> {
    const query = [["topic", "$stats"]] as const;
    const events = readEvents(api, {
      query,
      resume: () => query,
      onBreak: () => this.#reports.clear(),
      signal: this.#signal,
    });
    try {
      for await (const { event, data } of events) if (event === "stats") this.#take(data);
    } catch (error) {
      // a server that does not have it, or a caller who may not: the table says all it can without
      if (!(error instanceof CliError) && !this.#signal.aborted) throw error;
    }
  }

  #take(text: string): void {
    // the server's contract; whatever else stands there is left out of the sums
    const { data } = JSON.parse(text) as { data: Report };
    this.#reports.set(`${data.instance}`, { report: data, at: performance.now() });
  }
}

function sumOf(reports: readonly Report[]): DeploymentStats | undefined {
  const newest = reports.at(-1);
  if (newest === undefined) return undefined;
  const rate = (figure: "in" | "out" | "errors") =>
    reports.reduce((sum, report) => {
      return sum + ((report[figure] ?? 0) * 1_000) / (report.intervalMs ?? 1_000);
    }, 0);
  // these are of the whole deployment, whoever says them
  const { redis = [], groups } = newest;
  const latencies = redis.flatMap(({ latencyMs }) => latencyMs ?? []);
  const memories = redis.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    instances: reports.length,
    in: rate("in"),
    out: rate("out"),
    errors: rate("errors"),
    subscribers: reports.reduce((sum, { subscribers = 0 }) => sum + subscribers, 0),
    redisMs: latencies.length === 0 ? undefined : Math.max(...latencies),
    redisBytes: memories.length === 0 ? undefined : memories.reduce((sum, one) => sum + one, 0),
    groups,
  };
}
