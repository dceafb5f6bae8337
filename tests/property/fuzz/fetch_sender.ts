/** Sends generated requests through a fetch function: the handler itself, or a client of a real port. */
import type { Fetch } from "../../_support/http.ts";
import type { Chance } from "./chance.ts";
import type { FuzzAnswer } from "./fuzz_answer.ts";
import type { WireRequest } from "./fuzz_request.ts";

/** Sends one request; undefined where it could not be sent, or was given up before it was answered. */
export type Sender = (wire: WireRequest, chance: Chance) => Promise<FuzzAnswer | undefined>;

/** Options of {@link fetchSender}. */
export interface FetchSenderOptions {
  readonly fetch: Fetch;
  /** Where to, in place of where the request says; what only a connection can say is left out then. */
  readonly url?: string;
}

/** How long a client waits before it goes away, in milliseconds: for an answer, and at a stream. */
const PATIENCE_MS = 400;
const STREAM_MS = 15;
/** What belongs to the connection, which a client makes by itself. */
const OF_CONNECTION =
  /^(connection|content-length|transfer-encoding|upgrade|expect|te|host|range|x-large)$/;

/** A sender that, now and then, sends slowly, gives up in the middle, or does not read the answer. */
export function fetchSender({ fetch, url }: FetchSenderOptions): Sender {
  return async (wire, chance) => {
    const gone = new AbortController();
    const upload = uploadOf(wire, chance);
    const request = requestOf(wire, { body: upload.body, url, signal: gone.signal });
    if (request === undefined) return undefined;
    const ms = chance.is(0.02) ? chance.int(4) : PATIENCE_MS;
    const timer = setTimeout(() => gone.abort(), ms);
    try {
      const response = await fetch(request);
      return await read(response, { wire, chance });
    } catch (error) {
      // a client that has gone, or whose own body broke, is not told how it was answered
      if (url !== undefined && (gone.signal.aborted || upload.breaks)) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Undefined where the platform's Request takes no such thing. */
function requestOf(
  { method, origin, target, headers }: WireRequest,
  { body, url, signal }: {
    body: BodyInit | undefined;
    url: string | undefined;
    signal: AbortSignal;
  },
): Request | undefined {
  const kept = url === undefined ? headers : headers.filter(([name]) => !OF_CONNECTION.test(name));
  try {
    return new Request((url ?? origin) + target, {
      ...{ method, signal, headers: kept.map(([name, value]): [string, string] => [name, value]) },
      ...(body === undefined ? {} : { body, duplex: "half" }),
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

interface Upload {
  readonly body: BodyInit | undefined;
  /** Whether it fails in the middle. */
  readonly breaks: boolean;
}

/** The body as a whole, or in pieces; a few break. */
function uploadOf({ method, body: bytes }: WireRequest, chance: Chance): Upload {
  const breaks = chance.is(0.02);
  if (bytes === undefined || /^(get|head)$/i.test(method)) {
    return { body: undefined, breaks: false };
  }
  if (!breaks && chance.is(0.95)) return { body: bytes, breaks };
  const step = 1 + chance.int(bytes.length + 1);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (breaks && at * 2 > bytes.length) return controller.error(new Error("The upload broke"));
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + step));
      at += step;
    },
  });
  return { body, breaks };
}

async function read(
  response: Response,
  { wire, chance }: { wire: WireRequest; chance: Chance },
): Promise<FuzzAnswer> {
  const { status, headers, body } = response;
  const isStream = status === 200 && /event-stream|ndjson/.test(headers.get("content-type") ?? "");
  if (body === null) return { status, headers, text: "", whole: true };
  if (isStream && chance.is(0.3)) {
    await body.cancel();
    return { status, headers, text: undefined, whole: false };
  }
  const endless = isStream && !endsByItself(wire);
  const { text, whole } = await readText(body, endless ? STREAM_MS : undefined);
  return { status, headers, text, whole };
}

/** A stream that was asked to end when it has caught up; a group's may wait for what others hold. */
function endsByItself({ method, target }: WireRequest): boolean {
  return method.toUpperCase() !== "GET" ||
    (/[?&]wait=0(&|$)/.test(target) && !target.includes("group"));
}

/** Reads to the end, or for so many milliseconds and then cancels. */
async function readText(
  body: ReadableStream<Uint8Array>,
  ms: number | undefined,
): Promise<{ text: string; whole: boolean }> {
  const reader = body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "", left = false;
  const leave = () => {
    left = true;
    reader.cancel();
  };
  const timer = ms === undefined ? undefined : setTimeout(leave, ms);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { text: left ? text : text + decoder.decode(), whole: !left };
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
  }
}
