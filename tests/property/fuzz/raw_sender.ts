/** Sends bytes over connections of their own, as no HTTP client would. */
import { latin1Bytes, latin1Text } from "./bytes.ts";
import type { FuzzAnswer } from "./fuzz_answer.ts";
import type { Sender } from "./fetch_sender.ts";
import { rawBytes } from "./raw_mutations.ts";

/** How long a client waits for the first bytes before it says that it sends no more, in milliseconds. */
const PATIENCE_MS = 30;
/** What nobody reads of an answer any more. */
const ANSWER_MOST = 1 << 20;

/**
 * A sender to a port of this machine. Undefined is answered where the server closed without a word, or what answered was
 * the runtime and not the handler.
 *
 * @throws {TypeError} where what came is no HTTP
 */
export function rawSender(port: number): Sender {
  return async (wire, chance) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const reading = readAnswer(connection);
    // a server that has seen enough closes while more is coming
    await writeAll(connection, rawBytes(wire, chance)).catch(() => {});
    const timer = setTimeout(() => connection.closeWrite().catch(() => {}), PATIENCE_MS);
    try {
      return await reading;
    } finally {
      clearTimeout(timer);
    }
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += await connection.write(bytes.subarray(at));
}

/** Reads until the answer is whole, or the server closes; of a stream the head alone. */
async function readAnswer(connection: Deno.Conn): Promise<FuzzAnswer | undefined> {
  const buffer = new Uint8Array(64 << 10);
  let text = "";
  while (text.length < ANSWER_MOST) {
    // a connection that is reset has ended too
    const size = await connection.read(buffer).catch(() => null);
    if (size !== null) text += latin1Text(buffer.subarray(0, size));
    const answer = parseAnswer(text.replace(/^(HTTP\/1\.1 100 [^\n]*\r\n\r\n)+/, ""));
    if (answer?.whole || size === null) return fromHandler(answer, text);
  }
  throw new TypeError("Cannot read the answer: it does not end");
}

/** Undefined until the head is complete; `whole` once there is nothing more to wait for. */
function parseAnswer(text: string): FuzzAnswer | undefined {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (end < 0 || status === undefined) return undefined;
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  const length = headers.get("content-length");
  const body = text.slice(end + 4, end + 4 + Number(length ?? 0));
  // what has no length is a stream, which is left at its head
  const whole = length === null || body.length >= Number(length) || !headers.has("x-request-id");
  const read = length !== null && body.length === Number(length);
  const whatWasRead = read ? utf8(body) : undefined;
  return { status: Number(status), headers, whole, text: whatWasRead, mangled: true };
}

function utf8(latin1: string): string {
  return new TextDecoder().decode(latin1Bytes(latin1));
}

function fromHandler(answer: FuzzAnswer | undefined, text: string): FuzzAnswer | undefined {
  if (answer === undefined) {
    if (text === "" || text.startsWith("HTTP/1.")) return undefined;
    // whoever speaks HTTP/2 is answered in it
    if (text.startsWith("\0\0")) return undefined;
    throw new TypeError(`Cannot read the answer: ${JSON.stringify(text.slice(0, 200))}`);
  }
  const byRuntime = !answer.headers.has("x-request-id") && answer.status >= 400 &&
    answer.status !== 500;
  return byRuntime ? undefined : answer;
}
