import assert from "node:assert/strict";
import type { ByeReason } from "../../lib/broker/encoder.ts";
import { Heartbeats } from "../../lib/broker/heartbeats.ts";
import { type Stream, Streams } from "../../lib/broker/streams.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { MemorySink } from "../_support/memory_sink.ts";
import { until } from "../_support/until.ts";

/** A stream that stays until it is ended. */
class Quiet implements Stream {
  readonly id = "quiet";
  readonly reasons: ByeReason[] = [];
  beats = 0;
  readonly #over = Promise.withResolvers<void>();

  run(): Promise<void> {
    return this.#over.promise;
  }

  end(reason: ByeReason): void {
    this.reasons.push(reason);
    this.#over.resolve();
  }

  beat(): void {
    this.beats++;
  }
}

Deno.test("Streams beats for what it serves until that ends", async () => {
  using heartbeats = new Heartbeats({ intervalMs: 32 });
  const streams = new Streams({ heartbeats, log: memoryLog().log });
  const stream = new Quiet();
  const served = streams.serve(stream, new MemorySink());
  await until(() => stream.beats > 1);
  stream.end("limit");
  await served;
});

Deno.test("Streams ends all when it drains, those too that come after", async () => {
  using heartbeats = new Heartbeats({ intervalMs: 1_000 });
  const streams = new Streams({ heartbeats, log: memoryLog().log });
  const [early, late] = [new Quiet(), new Quiet()];
  const served = streams.serve(early, new MemorySink());
  await streams.drain();
  await Promise.all([served, streams.serve(late, new MemorySink())]);
  assert.deepEqual([early.reasons, late.reasons], [["shutdown"], ["shutdown"]]);
});

Deno.test("Streams is loud about a stream that fails, and does not fail itself", async () => {
  using heartbeats = new Heartbeats({ intervalMs: 1_000 });
  const { log, lines } = memoryLog();
  const streams = new Streams({ heartbeats, log });
  const stream = new Quiet();
  stream.run = () => Promise.reject(new Error("broken"));
  await streams.serve(stream, new MemorySink());
  assert.match(lines.join(), /subscription failed.*quiet/);
});
