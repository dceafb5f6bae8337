/** What a port speaks, found out below the Redis client, which only says that a link came to nothing. */
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Endpoint, RedisTls } from "../../redis/options.ts";

/** What a port speaks. */
export interface PortProbe {
  /** Whether Redis answers there without TLS. */
  readonly plain: boolean;
  /** What came of TLS; undefined where the port speaks none. */
  readonly tls: TlsProbe | undefined;
}

/** What came of TLS at a port. */
export interface TlsProbe {
  /** What the server showed; undefined where it hung up before. */
  readonly certificate: ServerCertificate | undefined;
  /** Why its certificate is not trusted, as a code; undefined where it is. */
  readonly distrust: string | undefined;
  /** Whether a question was answered: it hangs up first where it wants another client certificate. */
  readonly letsIn: boolean;
}

/** A server's certificate. */
export interface ServerCertificate {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** The names that it is for, separated by commas. */
  readonly names: string;
  /** Who signed it. */
  readonly issuer: string;
}

/** Options of {@link probePort}. */
export interface ProbeOptions {
  /** What our side of the TLS link has. @default nothing */
  readonly tls?: RedisTls | undefined;
  /** Gives up after this many milliseconds. @default 1500 */
  readonly timeoutMs?: number;
}

const QUESTION = "PING\r\n";

/** Tries a port with TLS and without. Never rejects. */
export async function probePort(
  endpoint: Endpoint,
  { tls, timeoutMs = 1_500 }: ProbeOptions = {},
): Promise<PortProbe> {
  const found = new AbortController();
  const signal = AbortSignal.any([found.signal, AbortSignal.timeout(timeoutMs)]);
  const [plain, secure] = await Promise.all([
    probePlain(endpoint, signal).then((answers) => {
      // a plain port never answers what TLS begins with
      if (answers) found.abort();
      return answers;
    }),
    probeTls(endpoint, { tls: tls ?? {}, signal }),
  ]);
  return { plain, tls: secure };
}

function probePlain(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  let answers = false;
  const socket = connectPlain({ ...endpoint });
  socket.on("connect", () => socket.write(QUESTION));
  socket.on("data", (data) => {
    answers = /^[+-]/.test(data.toString("latin1"));
    socket.destroy();
  });
  return untilClosed(socket, signal).then(() => answers);
}

async function probeTls(
  endpoint: Endpoint,
  { tls, signal }: { tls: RedisTls; signal: AbortSignal },
): Promise<TlsProbe | undefined> {
  const servername = tls.servername ?? (isIP(endpoint.host) === 0 ? endpoint.host : undefined);
  let socket: TLSSocket;
  try {
    socket = connectTls({
      ...endpoint,
      ...tls,
      ...(servername === undefined ? {} : { servername }),
      // only to look at it: nothing is told to whoever is there
      rejectUnauthorized: false,
    });
  } catch {
    return undefined;
  }
  let probe: TlsProbe | undefined;
  socket.on("secureConnect", () => {
    probe = { ...seen(socket), letsIn: false };
    socket.write(QUESTION);
  });
  socket.on("data", () => {
    probe &&= { ...probe, letsIn: true };
    socket.destroy();
  });
  socket.on("error", ({ message }) => {
    // before TLS 1.3 the client's certificate is part of the handshake
    if (/alert/i.test(message)) {
      probe ??= { certificate: undefined, distrust: undefined, letsIn: false };
    }
  });
  await untilClosed(socket, signal);
  return probe;
}

function seen(socket: TLSSocket): Pick<TlsProbe, "certificate" | "distrust"> {
  const { valid_from, valid_to, subjectaltname = "", subject, issuer } = socket
    .getPeerCertificate();
  return {
    certificate: {
      validFrom: new Date(valid_from),
      validTo: new Date(valid_to),
      names: subjectaltname.replaceAll(/\b(DNS|IP Address):/g, "") || `${subject?.CN ?? ""}`,
      issuer: `${issuer?.CN ?? issuer?.O ?? "?"}`,
    },
    distrust: socket.authorized ? undefined : `${socket.authorizationError}`,
  };
}

function untilClosed(socket: Socket, signal: AbortSignal): Promise<void> {
  const leave = () => void socket.destroy();
  signal.addEventListener("abort", leave);
  if (signal.aborted) leave();
  return new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    // what went wrong ends it too, and that is all there is to know
    socket.on("error", leave);
  }).finally(() => signal.removeEventListener("abort", leave));
}
