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

/** How long a client waits before it comes back to a stream that broke, in milliseconds. */
export const RETRY_MS = 2_000;
/** Over how long clients come back after a good-bye, in milliseconds, so that not all do at once. */
const SPREAD_MS: Readonly<Record<ByeReason, number>> = {
  limit: 0,
  caught_up: 0,
  time: 5_000,
  shutdown: 5_000,
  moved: 500,
  auth_expired: 0,
  auth_revoked: 0,
};

/** How long a client is to wait after a good-bye, in milliseconds. */
export function comeBackMs(reason: ByeReason): number {
  return Math.round(RETRY_MS / 4 + Math.random() * SPREAD_MS[reason]);
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
  serve(stream: Stream, sink: Sink): Promise<void> {
    const silence = this.#heartbeats.add(stream);
    const end = () => {
      silence();
      this.#running.delete(stream);
    };
    const running = stream.run(sink).then(end, (error) => {
      this.#log.error("subscription failed", { subscription: stream.id, error });
      end();
    });
    this.#running.set(stream, running);
    if (this.#draining) stream.end("shutdown");
    return running;
  }

  /** Ends the streams that are open now. */
  endAll(reason: ByeReason): void {
    for (const stream of this.#running.keys()) stream.end(reason);
  }

  /** Ends all streams with `$bye`, also those that come. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.endAll("shutdown");
    await Promise.all(this.#running.values());
  }
}
