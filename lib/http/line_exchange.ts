import { LineSplitter, type NdjsonLine } from "../codec/ndjson.ts";
import { readChunks, requireIdentity } from "./body.ts";
import { ByteStream } from "./byte_stream.ts";

/** Options of {@link exchangeLines}. */
export interface LineExchangeOptions {
  /** Longest line in bytes. */
  readonly maxBytes: number;
  /** Answers some lines; called in order, while earlier calls may still be under way. Must not reject. */
  readonly answer: (lines: readonly NdjsonLine[]) => Promise<string>;
  /** What stands at the end, where the upload came to its end or failed. */
  readonly end: (error: unknown) => string;
}

/** Lines answered together. */
const LINES = 500;
/** Answers under way at once: the next lines are read while the ones before are stored. */
const UNDER_WAY = 4;
/** A chunk smaller than this says that no more is waiting to be read. */
const LITTLE_BYTES = 16_384;

const LF = 10;

const text = new TextEncoder();

/** A producer may send for days, a line now and then; but not for ever on one line. */
function endsLine(chunk: Uint8Array): boolean {
  return chunk.includes(LF);
}

/**
 * The body of a response that answers an NDJSON upload while it still comes in. What waits is bounded: a few groups of
 * lines and what the client has not read yet.
 *
 * @throws {RunnelError} `unsupported_media_type` for a content encoding.
 */
export function exchangeLines(
  request: Request,
  options: LineExchangeOptions,
): ReadableStream<Uint8Array> {
  requireIdentity(request);
  const stream = new ByteStream();
  exchange(request, { ...options, stream });
  return stream.readable;
}

async function exchange(
  request: Request,
  { maxBytes, answer, end, stream }: LineExchangeOptions & { stream: ByteStream },
): Promise<void> {
  const splitter = new LineSplitter({ maxBytes });
  const underWay: Promise<string>[] = [];
  const writeOldest = async () => {
    stream.write(text.encode(await underWay.shift() ?? ""));
    await stream.drained();
  };
  const take = async (lines: readonly NdjsonLine[]) => {
    for (let i = 0; i < lines.length; i += LINES) {
      if (underWay.length >= UNDER_WAY) await writeOldest();
      underWay.push(answer(lines.slice(i, i + LINES)));
    }
  };
  let failure: unknown;
  try {
    for await (const chunk of readChunks(request, { signal: stream.gone, isProgress: endsLine })) {
      await take(splitter.push(chunk));
      // whoever sends little at a time wants each answer before it sends more
      if (chunk.length < LITTLE_BYTES) { while (underWay.length > 0) await writeOldest(); }
    }
    await take(splitter.end());
  } catch (error) {
    failure = error;
  }
  while (underWay.length > 0) await writeOldest();
  stream.write(text.encode(end(failure)));
  stream.end();
}
