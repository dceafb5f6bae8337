import type { ConnectionState } from "./link.ts";
import type { Message, StreamEvent } from "./message.ts";
import { type StandardSchema, validated } from "./schema.ts";
import { onAbort } from "./wait.ts";

/** What a subscription calls while it runs; all of them one after the other. */
export interface SubscriptionCallbacks<T> {
  /**
   * Takes each message; nothing more is read before a promise that it returns is fulfilled. Where it throws, the
   * subscription ends. Without it, the messages are for `for await`.
   */
  readonly onMessage?: ((message: Message<T>) => unknown) | undefined;
  /** Told of `$ready`, `$gap`, `$bye` and `$auth-expiring`, in their place between the messages. */
  readonly onEvent?: ((event: StreamEvent) => unknown) | undefined;
  /** Told of each change, and of the first state at once. */
  readonly onState?: ((state: ConnectionState) => unknown) | undefined;
}

/** What gives a subscription its messages. */
export interface Source {
  /** Ends it. */
  stop(): void;
  /** Gives until it is over. */
  run(sink: Sink): Promise<void>;
}

/** Where a source puts what it has. */
export interface Sink {
  /** Resolves when few enough wait that more may come. */
  push(item: Item): void | Promise<void>;
  state(state: ConnectionState): unknown;
}

/** One step of a subscription. */
export interface Item {
  readonly message?: Message;
  readonly event?: StreamEvent;
  /** Where the subscription stands after it. */
  readonly cursor: string;
}

/** Items that may wait before reading pauses. */
const WAITING_MOST = 256;

/**
 * A running subscription: iterate it, or have given it `onMessage`. Leaving the loop closes it.
 *
 * It comes back by itself after every break and goes on where it was. What cannot be cured, such as `forbidden`, is thrown
 * by the loop and rejects `closed`.
 */
export class Subscription<T = unknown> implements AsyncIterable<Message<T>> {
  /** Fulfilled when it is over, be it closed or complete; rejected with what ended it. */
  readonly closed: Promise<void>;
  readonly #source: Source;
  readonly #schema: StandardSchema<unknown, T> | undefined;
  readonly #callbacks: SubscriptionCallbacks<T>;
  readonly #items: Item[] = [];
  #state: ConnectionState = { status: "connecting" };
  #cursor = "";
  #over = false;
  #error: unknown;
  #wakeReader = () => {};
  #wakeSource = () => {};

  constructor(
    source: Source,
    { signal, schema, ...callbacks }: SubscriptionCallbacks<T> & {
      readonly signal?: AbortSignal | undefined;
      readonly schema?: StandardSchema<unknown, T> | undefined;
    },
  ) {
    this.#schema = schema;
    this.#source = source;
    this.#callbacks = callbacks;
    this.closed = this.#run().finally(() => forget());
    const forget = onAbort(signal, () => this.close());
    // whoever iterates, or looks at the states, is told there
    if (!callbacks.onMessage || callbacks.onState) this.closed.catch(() => {});
  }

  /** What the connection does now. */
  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * Where it stands, behind the message that was handed out last: give it as `since` to go on there later. Empty before
   * `$ready`.
   */
  get cursor(): string {
    return this.#cursor;
  }

  /** Ends it. What was not handed out yet is dropped. */
  close(): void {
    this.#over = true;
    this.#items.length = 0;
    this.#source.stop();
    this.#wakeReader();
    this.#wakeSource();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message<T>, void> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item) {
          if (this.#items.length < WAITING_MOST / 2) this.#wakeSource();
          this.#cursor = item.cursor;
          if (item.message) yield await validated(item.message, this.#schema);
          if (item.event) this.#callbacks.onEvent?.(item.event);
        } else if (this.#error) throw this.#error;
        else if (this.#over) return;
        else await new Promise<void>((resolve) => this.#wakeReader = resolve);
      }
    } finally {
      this.close();
    }
  }

  async #run(): Promise<void> {
    // not before the caller has it in hand
    await Promise.resolve();
    const { onMessage } = this.#callbacks;
    const reading = onMessage && this.#deliver(onMessage);
    try {
      if (!this.#over) {
        await this.#source.run({
          push: (item) => this.#push(item),
          state: (state) => this.#setState(state),
        });
      }
    } catch (error) {
      this.#error = error;
    }
    this.#over = true;
    this.#wakeReader();
    // first what is still there
    await reading?.catch((error) => this.#error = error);
    this.#setState({ status: "closed", error: this.#error });
    if (this.#error) throw this.#error;
  }

  async #deliver(onMessage: (message: Message<T>) => unknown): Promise<void> {
    for await (const message of this) await onMessage(message);
  }

  #push(item: Item): void | Promise<void> {
    if (this.#over) return;
    const last = this.#items.at(-1);
    // a heartbeat behind something that waits only moves the place
    if (last && !item.message && !item.event) {
      this.#items[this.#items.length - 1] = { ...last, cursor: item.cursor };
    } else this.#items.push(item);
    this.#wakeReader();
    if (this.#items.length < WAITING_MOST) return;
    return new Promise((resolve) => this.#wakeSource = resolve);
  }

  #setState(state: ConnectionState): void {
    if (this.#state.status === "closed") return;
    this.#state = state;
    this.#callbacks.onState?.(state);
  }
}
