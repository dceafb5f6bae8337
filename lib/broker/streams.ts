import type { Logger } from "../log.ts";
import type { ByeReason } from "./encoder.ts";
import type { Beating, Heartbeats } from "./heartbeats.ts";
import type { Sink } from "./sink.ts";

/** Something that is given to a client for as long as it stays. */
export interface Stream extends Beating {
  /** Its name, unique among all. */
  readonly id: string;
  /** Gives to a client until it leaves, {@link end} is called, or the stream's own end. */
  run(sink: Sink): Promise<void>;
  /** Says good-bye and ends the stream. */
  end(reason: ByeReason): void;
}

/** The streams that are open in this process. */
export class Streams {
  readonly #heartbeats: Heartbeats;
  readonly #log: Logger;
  readonly #running = new Map<Stream, Promise<void>>();
  #draining = false;

  constructor({ heartbeats, log }: { heartbeats: Heartbeats; log: Logger }) {
    this.#heartbeats = heartbeats;
    this.#log = log;
  }

  /** Runs a stream, beating for it; never rejects. */
  async serve(stream: Stream, sink: Sink): Promise<void> {
    const silence = this.#heartbeats.add(stream);
    const running = stream.run(sink).catch((error) => {
      this.#log.error("subscription failed", { subscription: stream.id, error });
    }).finally(() => {
      silence();
      this.#running.delete(stream);
    });
    this.#running.set(stream, running);
    if (this.#draining) stream.end("shutdown");
    await running;
  }

  /** Ends all streams with `$bye`, also those that come. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const stream of this.#running.keys()) stream.end("shutdown");
    await Promise.all(this.#running.values());
  }
}
