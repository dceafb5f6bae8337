/** Bytes that may wait in the stream before its backlog counts; the runtime and the kernel hold some more. */
const HIGH_WATER_BYTES = 64 << 10;

const STRATEGY = new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES });

/** Made once: `abort()` without a reason makes an error with a stack for each client that leaves. */
const GONE = new Error("The client has gone");

/**
 * The body of a streaming response, written to without waiting. Whoever writes looks at {@link backlog} and waits for
 * {@link drained} where it grows, so that a slow client costs a bounded amount of memory.
 */
export class ByteStream {
  /** The response's body. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly #gone = new AbortController();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#wake(),
      cancel: () => this.#leave(),
    }, STRATEGY);
  }

  /** Aborts when the client has gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Bytes that were written and not yet taken. */
  get backlog(): number {
    return HIGH_WATER_BYTES - (this.#controller?.desiredSize ?? HIGH_WATER_BYTES);
  }

  /** Queues bytes; ignored after the end. */
  write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#controller?.enqueue(bytes);
  }

  /** Resolves when the backlog is small, or the client has gone. */
  async drained(): Promise<void> {
    while (this.#controller !== undefined && this.backlog >= HIGH_WATER_BYTES) {
      this.#drained ??= Promise.withResolvers();
      await this.#drained.promise;
    }
  }

  /** Ends the body after what is queued. */
  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
    this.#wake();
  }

  #leave(): void {
    this.#controller = undefined;
    this.#gone.abort(GONE);
    this.#wake();
  }

  #wake(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}
