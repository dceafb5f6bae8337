import type { MovedFrame, Notice, ReplyFrame } from "../redis/frame.ts";

/** Is told of what comes on this process's own channel and on the control channel. All calls are synchronous. */
export interface InboxListener {
  /** Work of a group (its key) may be due from `dueMs` on, in milliseconds since 1970 on Redis's clock. */
  onWake?(group: string, dueMs: number): void;
  /** A reply to a request of this process was taken. */
  onReply?(reply: ReplyFrame): void;
  /** So many subscriptions have confirmed a message by now. */
  onConfirmation?(messageId: string, count: number): void;
  /** A message that was put off is due at `dueMs`, and none was due earlier. */
  onLater?(dueMs: number): void;
  /** The channels are subscribed on a new link: what came before may have been missed. */
  onOnline?(): void;
}

/** What is for this process rather than for its subscriptions, and who wants it. */
export class Inbox {
  readonly #listeners = new Set<InboxListener>();

  /** Adds a listener until the returned function is called. */
  add(listener: InboxListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Hands on what came. */
  take(notice: Exclude<Notice, MovedFrame>): void {
    for (const listener of this.#listeners) tell(listener, notice);
  }

  /** Tells everybody that the channels are subscribed on a new link. */
  online(): void {
    for (const listener of this.#listeners) listener.onOnline?.();
  }
}

function tell(listener: InboxListener, notice: Exclude<Notice, MovedFrame>): void {
  switch (notice.kind) {
    case "wake":
      return listener.onWake?.(notice.group, notice.due);
    case "reply":
      return listener.onReply?.(notice);
    case "confirmation":
      return listener.onConfirmation?.(notice.id, notice.count);
    case "later":
      return listener.onLater?.(notice.due);
  }
}
