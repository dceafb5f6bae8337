import { LineSplitter, type NdjsonLine } from "../codec/ndjson.ts";
import { type Api, problemOf } from "./api.ts";
import { CliError } from "./cli_error.ts";

/** One message's fate. */
export interface BatchResult {
  /** The line of the input it came from, from 1. */
  readonly line: number;
  /** Bytes of the input up to the end of that line. */
  readonly bytes: number;
  /** Why it was not stored; undefined where it was. */
  readonly error: { readonly code?: string; readonly detail?: string } | undefined;
}

/** How an upload ended. */
export interface BatchTotals {
  readonly accepted: number;
  readonly rejected: number;
}

/** Options of {@link uploadBatch}. */
export interface BatchUploadOptions {
  /** The NDJSON line to send for a line of the input. */
  readonly encode: (line: Uint8Array, number: number) => string;
  /** Told of each message as it is answered. */
  readonly onResult: (result: BatchResult) => void;
  readonly signal?: AbortSignal | undefined;
}

// The server has its own, lower limit and answers for the line; this one only bounds what is held here.
const LONGEST_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Streams the lines of an input to `POST /batch` and reads the answers meanwhile. What is held in memory is bounded by
 * what the server has not taken yet.
 *
 * @throws {CliError} when the server cannot be reached, refuses the upload, or stops answering before the end.
 */
export async function uploadBatch(
  api: Api,
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: BatchUploadOptions,
): Promise<BatchTotals> {
  const sent = new SentLines();
  const response = await api.attempt("batch", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", accept: "application/x-ndjson" },
    body: input.pipeThrough(encoder(sent, options.encode)),
    signal: options.signal,
  });
  if (!response.ok || !response.body) throw await problemOf(response);
  return await readAnswers(response.body, { sent, onResult: options.onResult });
}

/** Turns the input into NDJSON, and remembers the lines that were sent. */
function encoder(sent: SentLines, encode: BatchUploadOptions["encode"]) {
  const splitter = new LineSplitter({ maxBytes: LONGEST_LINE_BYTES });
  const utf8 = new TextEncoder();
  let bytesRead = 0;
  const encodeAll = (lines: NdjsonLine[]) => {
    const texts = lines.map(({ number, bytes }) => {
      if (!bytes) throw new CliError(`Cannot send line ${number}: it is longer than 64 MiB`);
      // As near as it matters: the end of the chunk that the line ended in.
      sent.push({ line: number, bytes: bytesRead });
      return encode(bytes, number) + "\n";
    });
    return utf8.encode(texts.join(""));
  };
  return new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytesRead += chunk.length;
      const encoded = encodeAll(splitter.push(chunk));
      if (encoded.length > 0) controller.enqueue(encoded);
    },
    flush(controller) {
      controller.enqueue(encodeAll(splitter.end()));
    },
  });
}

interface Answers {
  readonly sent: SentLines;
  readonly onResult: (result: BatchResult) => void;
}

async function readAnswers(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { sent, onResult }: Answers,
): Promise<BatchTotals> {
  const splitter = new LineSplitter({ maxBytes: LONGEST_LINE_BYTES });
  const decoder = new TextDecoder();
  let answered = 0;
  try {
    for await (const chunk of body) {
      for (const { bytes } of splitter.push(chunk)) {
        const answer = JSON.parse(decoder.decode(bytes));
        if ("accepted" in answer) return answer;
        answered++;
        onResult({ ...(sent.take() ?? { line: answered, bytes: 0 }), error: answer.error });
      }
    }
  } catch (error) {
    throw brokenOff(answered, error);
  }
  throw brokenOff(answered, undefined);
}

interface SentLine {
  readonly line: number;
  readonly bytes: number;
}

/** Lines that were sent and not answered yet, oldest first. */
class SentLines {
  #waiting: SentLine[] = [];
  #taken = 0;

  push(line: SentLine): void {
    this.#waiting.push(line);
  }

  take(): SentLine | undefined {
    // Moving the rest with every take would cost more than the upload itself.
    if (this.#taken > 10_000) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return this.#waiting[this.#taken++];
  }
}

function brokenOff(answered: number, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  return new CliError(
    `The upload broke off after ${answered} answers; whether later messages were stored is not known`,
    {
      advice: [
        "With --idempotency-prefix <name> the same file can be sent again and nothing is stored twice",
      ],
      cause,
    },
  );
}
