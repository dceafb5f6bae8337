import type { z } from "zod";
import { ByteBuffer } from "../codec/byte_buffer.ts";
import { parseJson } from "../codec/json.ts";
import { isJsonType, mediaType } from "../codec/payload.ts";
import { RunnelError } from "../errors.ts";
import { checkShape } from "./field_errors.ts";
import { Patience } from "./patience.ts";

/** Options of {@link readChunks}. */
export interface ReadChunksOptions {
  /** Ends the reading, with the error `client_closed`. */
  readonly signal?: AbortSignal;
  /** Longest wait for the next bytes, in milliseconds. @default 30000 */
  readonly stallMs?: number;
  /** Longest wait for bytes in all, in milliseconds; every 1000 bytes that come add a second. @default 60000 */
  readonly patienceMs?: number;
  /** Whether a chunk is a success by itself, after which the wait in all begins anew. @default none is */
  readonly isProgress?: (chunk: Uint8Array) => boolean;
}

/** Options of {@link readBytes}. */
export interface ReadBytesOptions extends ReadChunksOptions {
  /** The largest body that is taken. */
  readonly maxBytes: number;
}

/** Options of {@link readJson}. */
export interface ReadJsonOptions<T> extends ReadBytesOptions {
  readonly schema: z.ZodType<T>;
  /** Tells a value that is in order without the schema, which costs more. @default none is */
  readonly isSound?: (value: unknown) => value is T;
}

const STALL_MS = 30_000;
const PATIENCE_MS = 60_000;
/** The least that a large upload must bring in a second, over all of it. */
const LEAST_BYTES = 1_000;

/**
 * Bodies that say they are no larger are read in one go, which costs half of a chunk-wise read. They must be there
 * before the patience is over, whatever came of them.
 */
const SMALL_BODY = 65_536;

const patience = new Patience();

/**
 * The body as JSON of the shape that `schema` describes.
 *
 * @throws {RunnelError} `unsupported_media_type` unless it is JSON, `invalid_json`, `invalid_request` with a pointer for
 * each field at fault, and what {@link readBytes} throws.
 */
export async function readJson<T>(request: Request, options: ReadJsonOptions<T>): Promise<T> {
  requireJson(request);
  const value = parseBody(request, await readWithin(request, options));
  return options.isSound?.(value) ? value : checkShape(value, options.schema);
}

/**
 * The whole body, empty where there is none. A body that is too large is refused by its Content-Length before a byte
 * is read, else at the chunk that makes it too large.
 *
 * @throws {RunnelError} `payload_too_large`, `unsupported_media_type` for a content encoding, `client_closed` when the
 * client went away, `upload_timeout` when nothing came for `stallMs`, or too little in all.
 */
export async function readBytes(request: Request, options: ReadBytesOptions): Promise<Uint8Array> {
  requireIdentity(request);
  return await readWithin(request, options);
}

function readWithin(request: Request, options: ReadBytesOptions): Promise<Uint8Array> {
  const header = request.headers.get("content-length");
  const announced = header === null ? Infinity : Number(header);
  if (header !== null && announced > options.maxBytes) return refuse(request, options.maxBytes);
  const isSmall = announced <= SMALL_BODY && options.signal === undefined;
  return isSmall ? readWhole(request, options) : readInParts(request, options);
}

async function readInParts(request: Request, options: ReadBytesOptions): Promise<Uint8Array> {
  const { maxBytes } = options;
  const body = new ByteBuffer();
  for await (const chunk of readChunks(request, options)) {
    if (body.length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    body.append(chunk);
  }
  return body.take();
}

/**
 * The body as it arrives; stopping early reads no further.
 *
 * @throws {RunnelError} `unsupported_media_type` for a content encoding, `client_closed`, `upload_timeout`.
 */
export async function* readChunks(
  request: Request,
  options: ReadChunksOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  requireIdentity(request);
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  const upload = new Upload(reader, options);
  try {
    for (;;) {
      const chunk = await upload.read();
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    upload.close();
  }
}

/**
 * Reads chunks until the client stalls or dribbles, or the signal aborts; each cancels the reader, which ends a read
 * that waits. Only the time that is spent waiting for the client counts.
 */
class Upload {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stallMs: number;
  readonly #patienceMs: number;
  readonly #isProgress: (chunk: Uint8Array) => boolean;
  readonly #signal: AbortSignal | undefined;
  #leftMs: number;
  #reason: RunnelError | undefined;
  readonly #onAbort = () => this.#give("client_closed", this.#signal?.reason);

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    { stallMs = STALL_MS, patienceMs = PATIENCE_MS, isProgress, signal }: ReadChunksOptions,
  ) {
    this.#reader = reader;
    this.#stallMs = stallMs;
    this.#patienceMs = patienceMs;
    this.#leftMs = patienceMs;
    this.#isProgress = isProgress ?? (() => false);
    this.#signal = signal;
    this.#signal?.addEventListener("abort", this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
  }

  /** The next chunk, undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    const start = performance.now();
    const limitMs = Math.min(this.#stallMs, this.#leftMs);
    const timer = setTimeout(() => this.#give("upload_timeout"), limitMs);
    try {
      const { value } = await this.#reader.read();
      if (this.#reason !== undefined) throw this.#reason;
      if (value !== undefined) this.#count(value, performance.now() - start);
      return value;
    } catch (cause) {
      throw this.#reason ?? clientClosed(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cancels what is left of the body: nobody reads it any more. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#cancel();
  }

  #count(chunk: Uint8Array, waitedMs: number): void {
    if (this.#isProgress(chunk)) this.#leftMs = this.#patienceMs;
    else this.#leftMs += chunk.length * 1000 / LEAST_BYTES - waitedMs;
  }

  #give(code: "client_closed" | "upload_timeout", cause?: unknown): void {
    this.#reason ??= new RunnelError(code, undefined, { cause });
    this.#cancel();
  }

  #cancel(): void {
    this.#reader.cancel().catch(() => {}); // It failed already, and whoever reads has been told.
  }
}

async function readWhole(
  request: Request,
  { maxBytes, patienceMs = PATIENCE_MS }: ReadBytesOptions,
): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(
      await patience.within(request.arrayBuffer(), { ms: patienceMs, late: uploadTimeout }),
    );
  } catch (cause) {
    throw cause instanceof RunnelError ? cause : clientClosed(cause);
  }
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

async function refuse(request: Request, maxBytes: number): Promise<never> {
  await request.body?.cancel().catch(() => {}); // The refusal is the answer, however the body ends.
  throw tooLarge(maxBytes);
}

function uploadTimeout(): RunnelError {
  return new RunnelError("upload_timeout");
}

function tooLarge(maxBytes: number): RunnelError {
  return new RunnelError("payload_too_large", `The body is larger than ${maxBytes} bytes`);
}

function clientClosed(cause: unknown): RunnelError {
  return new RunnelError("client_closed", undefined, { cause });
}

function requireJson(request: Request): void {
  const type = request.headers.get("content-type");
  if (type === "application/json" || isJsonType(mediaType(type))) return;
  throw new RunnelError(
    "unsupported_media_type",
    "The content type is not application/json",
  );
}

/**
 * Refuses a compressed body, which would be stored as if it were the payload itself.
 *
 * @throws {RunnelError} `unsupported_media_type`.
 */
export function requireIdentity(request: Request): void {
  const encoding = request.headers.get("content-encoding");
  if (encoding === null || encoding.toLowerCase() === "identity") return;
  throw new RunnelError("unsupported_media_type", "The content encoding is not supported");
}

/** Compressed bytes are no JSON, so that their encoding is asked for only when reading them failed. */
function parseBody(request: Request, bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    requireIdentity(request);
    throw error;
  }
}
