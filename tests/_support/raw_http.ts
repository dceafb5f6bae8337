/** HTTP written by hand, for what no client would send. */
import { deadline, sleep } from "./until.ts";

/** What is sent: text as UTF-8, or bytes as they are. */
export type Raw = string | Uint8Array;

/** Sends it without a word about how it ends, and leaves the connection open. */
export async function connectRaw(port: number, raw: Raw): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, bytesOf(raw));
  return connection;
}

/**
 * Sends it and gives the first of the answer, which holds its status line and headers; an empty text where the server
 * ends the connection in place of an answer.
 */
export async function answerTo(port: number, raw: Raw): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  // a server that has heard enough closes while this one still speaks
  const writing = write(connection, bytesOf(raw)).catch(() => {});
  const answer = await firstOf(connection);
  connection.close();
  await writing;
  return answer;
}

/** Sends it, and then a byte every so many milliseconds until the answer is there; gives the first of that. */
export async function dribble(
  port: number,
  raw: Raw,
  { byte, everyMs }: { byte: string; everyMs: number },
): Promise<string> {
  using connection = await connectRaw(port, raw);
  let answered = false;
  const answer = firstOf(connection).finally(() => answered = true);
  while (!answered) {
    await write(connection, bytesOf(byte)).catch(() => {});
    await sleep(everyMs);
  }
  return await answer;
}

/** Bytes of a text, one each: what stands in it as `\xff` is that byte. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function bytesOf(raw: Raw): Uint8Array {
  return typeof raw === "string" ? new TextEncoder().encode(raw) : raw;
}

async function write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function firstOf(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  try {
    const length = await deadline(connection.read(buffer), 10_000, "an answer");
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "";
    throw error;
  }
}
