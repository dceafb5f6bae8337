/** What instances would say on `$stats`, for times that a test cannot wait for. */
import type { Stats } from "../../lib/codec/stats.ts";

/** A report of an instance that has little to do. */
export function report(changes: Partial<Stats> & { readonly at: number }): Stats {
  const { at, ...rest } = changes;
  return {
    instance: "a",
    time: new Date(at).toISOString(),
    intervalMs: 1_000,
    in: 10,
    out: 20,
    requests: 5,
    refused: 0,
    errors: 0,
    subscribers: 3,
    publishMs: { p50: 1, p99: 2 },
    deliveryMs: null,
    eventLoopMs: 1,
    redis: [
      { shard: 1, latencyMs: 0.5, memoryBytes: 1 << 20, maxMemoryBytes: 0, connected: true },
    ],
    groups: { count: 1, lag: 7, pending: 2, dead: 1 },
    topics: 4,
    ...rest,
  };
}

/** The event stream that carries some reports. */
export function reportStream(reports: readonly Stats[]): string {
  const ready =
    `retry: 60000\nid: 1-0\nevent: $ready\ndata: {"subscription":"x","cursor":"1-0"}\n\n`;
  const events = reports.map((data) => {
    const message = { id: null, topic: "$stats", time: data.time, type: "stats", data };
    return `event: stats\ndata: ${JSON.stringify(message)}\n\n`;
  });
  return ready + events.join("");
}
