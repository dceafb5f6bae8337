import { type ErrorCode, type FieldError, RunnelError } from "../errors.ts";

/** Options of {@link InputLimits}: sizes in bytes; what is absent has no limit. */
export interface InputLimitsOptions {
  /** Of a message as JSON, with its headers. */
  readonly messageBytes?: number | undefined;
  /** Of all names and values of a message's headers together. */
  readonly headerBytes?: number | undefined;
  /** Of a topic's name or a pattern. */
  readonly topicBytes?: number | undefined;
  /** Messages of a batch that is one document. */
  readonly batch?: number | undefined;
  /** Messages that a consumer leases at a time. */
  readonly leased?: number | undefined;
}

/** What is looked at of a message. */
export interface MeasuredMessage {
  readonly topic?: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const encoder = new TextEncoder();
/** Bytes that a character has at the most, counted as JavaScript counts characters. */
const BYTES_MOST = 3;

/** Limits on what a request may bring, where they are set. */
export class InputLimits {
  readonly #options: InputLimitsOptions;

  constructor(options: InputLimitsOptions) {
    this.#options = options;
  }

  /**
   * Checks one message.
   *
   * @param body gives it as JSON; called where its size counts
   * @throws {RunnelError} `invalid_topic` or `payload_too_large`, which points at the field.
   */
  checkMessage({ topic, headers }: MeasuredMessage, body: () => string): void {
    const { messageBytes, headerBytes } = this.#options;
    if (topic !== undefined) this.checkTopic(topic, "#/topic");
    if (headerBytes !== undefined && headers !== undefined) {
      const all = Object.entries(headers).flat().join("");
      const detail = `The headers of a message have at most ${headerBytes} bytes`;
      if (isLarger(all, headerBytes)) throw tooLarge({ pointer: "#/headers", detail }, "headers");
    }
    if (messageBytes === undefined || !isLarger(body(), messageBytes)) return;
    const detail = `A message has at most ${messageBytes} bytes as JSON`;
    throw tooLarge({ pointer: "#", detail }, "message");
  }

  /**
   * Checks the size of a topic's name or a pattern, which is in order otherwise.
   *
   * @throws {RunnelError} `invalid_topic`, which points at the place.
   */
  checkTopic(name: string, pointer: string): void {
    const { topicBytes } = this.#options;
    if (topicBytes === undefined || !isLarger(name, topicBytes)) return;
    const detail = `A topic has at most ${topicBytes} bytes`;
    throw failure("invalid_topic", { pointer, detail });
  }

  /**
   * Checks how many messages one document has.
   *
   * @throws {RunnelError} `payload_too_large`, which points at the place.
   */
  checkBatch(messages: number, pointer: string): void {
    const { batch = Infinity } = this.#options;
    if (messages <= batch) return;
    const detail = `A batch has at most ${batch} messages; NDJSON may have more`;
    throw tooLarge({ pointer, detail }, "batch");
  }

  /**
   * How many messages a consumer may lease at a time.
   *
   * @param max what it asks for
   * @param usual where it asks for nothing
   * @throws {RunnelError} `invalid_request` where it asks for too many, which points at the place.
   */
  leased(max: number | undefined, { usual, pointer }: { usual: number; pointer: string }): number {
    const { leased = Infinity } = this.#options;
    if (max === undefined) return Math.min(usual, leased);
    if (max <= leased) return max;
    throw failure("invalid_request", { pointer, detail: `At most ${leased} messages at a time` });
  }
}

function isLarger(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * BYTES_MOST > bytes && encoder.encode(text).length > bytes;
}

function tooLarge(error: FieldError, limit: string): RunnelError {
  return failure("payload_too_large", error, { limit });
}

function failure(code: ErrorCode, error: FieldError, audit = {}): RunnelError {
  return new RunnelError(code, error.detail, { errors: [error], audit });
}
