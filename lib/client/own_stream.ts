import { type ConnectionState, Link } from "./link.ts";
import type { Block } from "./event_parser.ts";
import type { Message, StreamEvent } from "./message.ts";
import type { Item, Sink, Source } from "./subscription.ts";
import type { Query, Transport } from "./transport.ts";

/** Options of {@link OwnStream}. */
export interface OwnStreamOptions {
  readonly transport: Transport;
  /** What is asked for, but `since` and `limit`. */
  readonly query: Query;
  readonly cursor: string;
  readonly since: string | undefined;
  /** Ends after so many messages. */
  readonly limit: number | undefined;
  readonly heartbeatMs: number;
  readonly eventSource: readonly string[] | undefined;
}

/** A stream from the server that one subscription has for itself. */
export class OwnStream implements Source<unknown> {
  readonly #options: OwnStreamOptions;
  #link: Link | undefined;
  #left: number;

  constructor(options: OwnStreamOptions) {
    this.#options = options;
    this.#left = options.limit ?? Infinity;
  }

  /** Where it stands. */
  get cursor(): string {
    return this.#link?.cursor ?? this.#options.cursor;
  }

  stop(): void {
    this.#link?.stop();
  }

  run(sink: Sink<unknown>): Promise<void> {
    const { query, limit, since, ...options } = this.#options;
    const link: Link = this.#link = new Link({
      ...options,
      query: () =>
        this.#left > 0
          ? [
            ...query,
            ...(since === undefined || link.cursor ? [] : [["since", since] as const]),
            ...(limit === undefined ? [] : [["limit", `${this.#left}`] as const]),
          ]
          : undefined,
      take: (block, cursor) => this.#take(block, cursor, sink),
      onState: (state: ConnectionState) => sink.state(state),
    });
    return link.run();
  }

  #take(block: Block, cursor: string, sink: Sink<unknown>): void | Promise<void> {
    const item = itemOf(block, cursor);
    if (item.message) this.#left--;
    // nothing more comes
    if (item.event?.event === "$bye" && ["limit", "caught_up"].includes(item.event.reason)) {
      this.#left = 0;
    }
    return sink.push(item);
  }
}

/** What a block of the stream means. */
export function itemOf({ event, data }: Block, cursor: string): Item<unknown> {
  if (data === undefined) return { cursor };
  // the server writes nothing else
  const body = JSON.parse(data) as Message & StreamEvent;
  return event?.startsWith("$")
    ? { event: { ...body, event } as StreamEvent, cursor }
    : { message: body, cursor };
}
