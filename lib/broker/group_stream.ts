import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Tracing } from "../metrics/tracing.ts";
import { noteDelivery } from "./delivery_trace.ts";
import type { GroupName, PullResult } from "../redis/group.ts";
import type { ByeReason, Encoder } from "./encoder.ts";
import { giveBack, type GroupPlace, type GroupSpan, refusalOf } from "./group_span.ts";
import { lifetimeOf, type LifetimeOptions } from "./lifetime.ts";
import type { Sink } from "./sink.ts";
import { comeBackMs, RETRY_MS, type Stream } from "./streams.ts";
import { abortable, OVER, repeat } from "./wait.ts";

/** What a consumer that wants messages pushed asked for. */
export interface GroupStreamRequest extends LifetimeOptions {
  readonly name: GroupName;
  /** @default one of its own */
  readonly consumer?: string;
  /** Where the group starts in a partition if it is new: `latest`, `earliest`, `last:<n>` or an id. */
  readonly since: (partition: number) => string;
  /** Most messages that the consumer holds at a time. */
  readonly max: number;
  readonly leaseMs: number;
  readonly encoder: Encoder;
  /** Ends after so many messages. @default Infinity */
  readonly limit?: number;
  /** Whether it stays when there is nothing to do now. @default true */
  readonly wait?: boolean;
}

/** What a group's stream works with. */
export interface GroupStreamParts {
  readonly span: GroupSpan;
  readonly log: Logger;
  readonly id: string;
  /** Names this process, which is told when the consumer has room again. */
  readonly processId: string;
  /** What is counted of its work. */
  readonly metrics: Metrics;
  /** Makes spans of what is delivered. @default nobody collects any */
  readonly tracing?: Tracing | undefined;
}

/** Unread bytes at which nothing more is leased for a client. */
const BACKLOG_BYTES = 256 << 10;

/**
 * Pushes a group's messages to one consumer, which acknowledges them elsewhere: as many at a time as it may hold, and
 * the next where an ack, by whatever process, gives it room.
 *
 * What the client was sent when it leaves stays leased until that runs out: it may have got it and be at work, and
 * acknowledge it yet. Only what was leased and never sent is given back at once.
 */
export class GroupStream implements Stream {
  readonly #request: GroupStreamRequest;
  readonly #parts: GroupStreamParts;
  readonly #consumer: string;
  readonly #over = new AbortController();
  #sink: Sink | undefined;
  #left: number;
  #attempt = 1;

  constructor(request: GroupStreamRequest, parts: GroupStreamParts) {
    this.#request = request;
    this.#parts = parts;
    this.#consumer = request.consumer ?? parts.id;
    this.#left = request.limit ?? Infinity;
  }

  /** Its name, unique among all. */
  get id(): string {
    return this.#parts.id;
  }

  /** Gives messages to a client until it leaves, {@link end} is called, or the request's limits are reached. */
  async run(sink: Sink): Promise<void> {
    const { id, span } = this.#parts;
    const { name, encoder } = this.#request;
    const { signal } = this.#over;
    this.#sink = sink;
    const leave = () => this.#over.abort(OVER);
    sink.gone.addEventListener("abort", leave, { once: true });
    if (sink.gone.aborted) leave();
    using _life = lifetimeOf(this.#request, {
      end: (reason) => this.end(reason),
      expiring: (inMs) => sink.write(encoder.expiring(inMs)),
    });
    const place = span.enter(name);
    try {
      const ready = { subscription: id, group: name.group, consumer: this.#consumer };
      sink.write(encoder.ready(ready, RETRY_MS));
      await repeat(() => this.#advance(sink, place), {
        signal,
        onFailure: (error, before) => this.#tellOfFailure(error, before),
      });
    } finally {
      place.leave();
      sink.gone.removeEventListener("abort", leave);
      this.#over.abort(OVER);
      sink.end();
    }
  }

  /** Says good-bye and ends the stream; clients come back after a while that differs for each. */
  end(reason: ByeReason): void {
    if (this.#over.signal.aborted) return;
    this.#sink?.write(this.#request.encoder.bye(reason, comeBackMs(reason)));
    this.#over.abort(OVER);
  }

  /** Tells the client that the stream lives. */
  beat(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#over.signal.aborted || sink.backlog > BACKLOG_BYTES) return;
    sink.write(this.#request.encoder.heartbeat());
  }

  async #advance(sink: Sink, place: GroupPlace): Promise<void> {
    const { signal } = this.#over;
    if (this.#left <= 0) return this.end("limit");
    if (sink.backlog > BACKLOG_BYTES) return await abortable(sink.drained(), signal);
    const result = await this.#pull();
    const { messages, more, nextDue } = result;
    // the client went while Redis was asked: nothing of this was sent
    if (signal.aborted) return giveBack(this.#parts.span, this.#request.name, result);
    if (messages.length > 0) {
      this.#give(sink, result);
      return place.found({ more });
    }
    if (this.#request.wait === false && !more) return this.end("caught_up");
    await place.turn({ nextDue, full: more }, signal);
  }

  async #pull(): Promise<PullResult> {
    const { name, consumer, since, max, leaseMs } = this.#request;
    const result = await this.#parts.span.pull({
      kind: "pull",
      name,
      consumer: this.#consumer,
      since,
      max: Math.min(max, this.#left),
      cap: max,
      leaseMs,
      process: this.#parts.processId,
      // a named consumer counts its attempts itself, elsewhere
      ...(consumer === undefined ? { attempt: this.#attempt } : {}),
    });
    if (result.problem !== undefined) throw refusalOf(result.problem);
    if (result.messages.length > 0 || result.repeated) this.#attempt++;
    return result;
  }

  #give(sink: Sink, { messages, lease, leaseUntil }: PullResult): void {
    for (const { message, deliveries } of messages) {
      const delivery = {
        deliveries,
        ...(lease === undefined ? {} : { lease }),
        ...(leaseUntil === undefined ? {} : { leaseUntil }),
      };
      sink.write(this.#request.encoder.leased(message, delivery));
    }
    this.#left -= messages.length;
    const { metrics, tracing } = this.#parts;
    metrics.delivered.group_stream += messages.length;
    if (tracing !== undefined) {
      const given = messages.map(({ message }) => message);
      noteDelivery(tracing, given, { by: this.#request.name.group });
    }
    if (this.#left <= 0) this.end("limit");
  }

  // what another try cannot mend is for the operator, and said once
  #tellOfFailure(error: unknown, before: number): void {
    if (error instanceof RunnelError && error.code === "partition_split") return this.end("moved");
    const hopeless = !(error instanceof RunnelError && error.retryable);
    const level = hopeless && before === 0 ? "warn" : "debug";
    this.#parts.log[level]("subscription cannot read", { subscription: this.id, error });
  }
}
