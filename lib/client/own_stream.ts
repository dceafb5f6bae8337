import type { Block } from "./event_parser.ts";
import { Link } from "./link.ts";
import type { Message, StreamEvent } from "./message.ts";
import type { Item, Sink, Source } from "./subscription.ts";
import type { Query, Transport } from "./transport.ts";

/** Options of {@link OwnStream}. */
export interface OwnStreamOptions {
  readonly transport: Transport;
  /** What is asked for, but `since` and `limit`. */
  readonly query: Query;
  readonly since: string | undefined;
  /** Ends after so many messages. */
  readonly limit: number | undefined;
  readonly heartbeatMs: number;
  /** The types that a browser's EventSource listens for, where it is to be one. */
  readonly eventSource: readonly string[] | undefined;
  /** Where to go on, in place of `since`. @default "" */
  readonly cursor?: string;
}

/** A stream from the server that one subscription has for itself. */
export class OwnStream implements Source {
  readonly #options: OwnStreamOptions;
  #link: Link | undefined;
  #left: number;

  constructor(options: OwnStreamOptions) {
    this.#options = options;
    this.#left = options.limit ?? Infinity;
  }

  /** Where it stands. */
  get cursor(): string {
    return this.#link?.cursor ?? "";
  }

  stop(): void {
    this.#link?.stop();
  }

  run(sink: Sink): Promise<void> {
    const { query, limit, since, ...options } = this.#options;
    const link: Link = this.#link = new Link({
      ...options,
      query: () =>
        this.#left > 0
          ? { ...query, since: link.cursor ? undefined : since, limit: limit && this.#left }
          : undefined,
      take: (block, cursor) => {
        const item = itemOf(block, cursor);
        const { event, message } = item;
        if (message) this.#left--;
        // nothing more comes
        if (event?.event === "$bye" && /^(limit|caught_up)$/.test(event.reason)) this.#left = 0;
        return sink.push(item);
      },
      onState: (state) => sink.state(state),
    });
    return link.run();
  }
}

/** What a block of the stream means. */
export function itemOf({ event, data }: Block, cursor: string): Item {
  if (data === undefined) return { cursor };
  // the server writes nothing else
  const body = JSON.parse(data) as Message & StreamEvent;
  return event?.startsWith("$")
    ? { event: { ...body, event } as StreamEvent, cursor }
    : { message: body, cursor };
}
