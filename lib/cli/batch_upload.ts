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

/** Lines that may be on their way without an answer: some runtimes read an upload ahead without a bound of their own. */
const LINES_AHEAD = 10_000;
/** A proxy may hold all answers back until the end; nobody waits for one for longer than this. */
const ANSWER_MS = 5_000;

/**
 * Streams the lines of an input to `POST /batch` and reads the answers meanwhile. The upload keeps no more than some
 * lines ahead of the answers, so that what client and server hold in memory is bounded.
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
  try {
    if (!response.ok || !response.body) throw await problemOf(response);
    return await readAnswers(response.body, { sent, onResult: options.onResult });
  } finally {
    sent.close();
  }
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
    async transform(chunk, controller) {
      await sent.room();
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
  #closed = false;
  #room: (() => void) | undefined;

  /** Resolves when few enough lines wait for an answer, or none has come for long. */
  async room(): Promise<void> {
    while (!this.#closed && this.#waiting.length - this.#taken > LINES_AHEAD) {
      const before = this.#waiting.length - this.#taken;
      await this.#change();
      if (this.#waiting.length - this.#taken === before) return;
    }
  }

  /** Lets whoever waits go on. */
  close(): void {
    this.#closed = true;
    this.#room?.();
  }

  push(line: SentLine): void {
    this.#waiting.push(line);
  }

  take(): SentLine | undefined {
    // Moving the rest with every take would cost more than the upload itself.
    if (this.#taken > 10_000) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    if (this.#waiting.length - this.#taken <= LINES_AHEAD) this.#room?.();
    return this.#waiting[this.#taken++];
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#room?.(), ANSWER_MS);
      this.#room = () => {
        clearTimeout(timer);
        this.#room = undefined;
        resolve();
      };
    });
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
