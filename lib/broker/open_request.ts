import type { StoredMessage } from "../codec/message.ts";
import type { ReplyRange, StoredReply } from "../redis/request_store.ts";
import { inboxOf } from "./request_input.ts";

/** A request that somebody waits with, and the replies that have come. */
export class OpenRequest {
  /** Whether it is known to be stored. */
  isPublished = false;
  readonly #replies = new Map<number, StoredMessage>();
  #end = resolvers();

  constructor(
    readonly id: string,
    readonly wanted: number,
    /** When it is given up, by `performance.now()`. */
    readonly until = Infinity,
  ) {}

  /** Resolves when there are enough replies or it is {@link giveUp|given up}; rejects with why it {@link fail|failed}. */
  get over(): Promise<void> {
    return this.#end.promise;
  }

  /** Whether all replies have come. */
  get isAnswered(): boolean {
    return this.#replies.size >= this.wanted;
  }

  /** The replies, in the order in which they were taken. */
  get replies(): readonly StoredMessage[] {
    return [...this.#replies].sort(([a], [b]) => a - b).map(([, message]) => message);
  }

  /** Which replies have not come. */
  get missing(): ReplyRange {
    const indexes: number[] = [];
    for (let index = 1; index <= this.wanted; index++) {
      if (!this.#replies.has(index)) indexes.push(index);
    }
    return { id: this.id, indexes };
  }

  /** Takes a reply; one that has come already is ignored. */
  take({ index, time, body }: StoredReply): void {
    if (this.#replies.has(index)) return;
    this.#replies.set(index, { id: null, topic: inboxOf(this.id), time, body });
    if (this.isAnswered) this.#end.resolve();
  }

  /** Ends the waiting with what has come. */
  giveUp(): void {
    this.#end.resolve();
  }

  /** Ends the waiting with an error. */
  fail(error: Error): void {
    this.#end.reject(error);
  }

  /** Waits once more. */
  reopen(): void {
    this.#end = resolvers();
    if (this.isAnswered) this.#end.resolve();
  }
}

function resolvers(): PromiseWithResolvers<void> {
  const end = Promise.withResolvers<void>();
  // it may fail before anybody looks
  end.promise.catch(() => {});
  return end;
}
