/** Where a subscription writes: one client's connection. */
export interface Sink {
  /** Queues bytes; never waits. A sink that is gone ignores them. */
  write(bytes: Uint8Array): void;
  /** Bytes that were queued and not yet taken. */
  readonly backlog: number;
  /** Resolves when the backlog is small again, or the client is gone. */
  drained(): Promise<void>;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Ends the stream after what is queued. */
  end(): void;
}
