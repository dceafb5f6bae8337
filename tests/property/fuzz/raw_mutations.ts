/** What can be wrong with a request that no HTTP client would send so. */
import { joinBytes, latin1Bytes } from "./bytes.ts";
import type { Chance } from "./chance.ts";
import type { WireRequest } from "./fuzz_request.ts";

/** A request as lines of its head, without line breaks, and the bytes after it. */
export interface RawRequest {
  readonly head: readonly string[];
  readonly body: Uint8Array;
  /** @default CR LF */
  readonly lineBreak?: string;
}

type RawMutation = (raw: RawRequest, chance: Chance) => RawRequest;

const NO_BYTES = new Uint8Array();
const PREFACES = [
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
  "*1\r\n$4\r\nPING\r\n",
  "GET /\r\n",
  "\r\n\r\n\r\n",
  "\0".repeat(100),
];
const LINES = [
  ...[
    "no colon",
    ": empty",
    "a b: c",
    "a : b",
    " folded",
    "a: \0",
    "a: \x7f",
    "a\xff: b",
    "a: \xff\xfe",
  ],
  ...["host: a", "host:", "host: a/b@c", "host: [::1", "content-length: 5", "content-length: -1"],
  ...["content-length: 99999999999999999999", "content-length: 0x5", "content-length: 5, 6"],
  ...["transfer-encoding: chunked", "transfer-encoding: gzip, chunked", "transfer-encoding: x"],
  ...[
    "connection: upgrade",
    "upgrade: websocket",
    "upgrade: h2c",
    "expect: 100-continue",
    "expect: x",
  ],
  ...["te: trailers", "trailer: x", "range: bytes=0-0", "cookie: " + "a=b; ".repeat(400)],
  "x-long: " + "y".repeat(100_000),
];
const CHUNKS = [
  ...[
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
    "zz\r\n",
    "-1\r\n",
  ],
  ...["ffffffffffffffffff\r\n", "5\r\nhel", "5\nhello\n0\n\n", "5\r\nhelloo\r\n0\r\n\r\n", ""],
];

/** The line that asks, with one of its parts changed. */
function ask(
  raw: RawRequest,
  change: (parts: { method: string; target: string; version: string }) => string,
): RawRequest {
  const [first = "", ...rest] = raw.head;
  const [method = "", target = "", version = ""] = first.split(" ");
  return { ...raw, head: [change({ method, target, version }), ...rest] };
}

const MUTATIONS: readonly RawMutation[] = [
  (raw) => raw,
  (raw, chance) => ({ ...raw, head: raw.head.toSpliced(1, 0, chance.pick(LINES)) }),
  (raw, chance) => ({
    ...raw,
    head: [...raw.head, ...chance.some(1, 4, () => chance.pick(LINES))],
  }),
  (raw, chance) => ({ ...raw, head: raw.head.toSpliced(chance.int(raw.head.length), 1) }),
  (raw, chance) => ({ ...raw, head: [...raw.head, ...chance.some(90, 200, () => "a: b")] }),
  (raw, chance) => ({ ...raw, lineBreak: chance.pick(["\n", "\r", "\r\r\n", ""]) }),
  (raw, chance) => {
    const versions = [
      "HTTP/1.0",
      "HTTP/0.9",
      "HTTP/2.0",
      "HTTP/9.9",
      "HTTP/1.1 ",
      "http/1.1",
      "X",
      "",
    ];
    return ask(raw, ({ method, target }) => `${method} ${target} ${chance.pick(versions)}`);
  },
  (raw, chance) => {
    const targets = [
      "*",
      "",
      "publish",
      "?",
      "#",
      "//",
      "localhost:80",
      "http://",
      "/%",
      "/\xff",
      "/a b",
    ];
    return ask(raw, ({ method, version }) => `${method} ${chance.pick(targets)} ${version}`);
  },
  (raw, chance) => {
    const bases = ["http://localhost", "http://evil.example", "ftp://x", "http://a:b@localhost"];
    return ask(
      raw,
      ({ method, target, version }) => `${method} ${chance.pick(bases)}${target} ${version}`,
    );
  },
  (raw) =>
    ask(
      raw,
      ({ method, target, version }) => `${method} ${target}${"/a".repeat(9_000)} ${version}`,
    ),
  (raw, chance) => {
    const methods = ["CONNECT", "TRACE", "", "GET\t", "G\0T", "P\xf6ST", "GET GET"];
    return ask(raw, ({ target, version }) => `${chance.pick(methods)} ${target} ${version}`);
  },
  (raw, chance) => ({
    head: [...raw.head.filter(isNoLength), "transfer-encoding: chunked"],
    body: latin1Bytes(chance.pick(CHUNKS)),
  }),
  (raw, chance) => ({
    ...raw,
    head: [
      ...raw.head.filter(isNoLength),
      `content-length: ${raw.body.length + chance.int(9) - 4}`,
    ],
  }),
  (_, chance) => ({ head: [], body: latin1Bytes(chance.pick(PREFACES)) }),
  (_, chance) => ({ head: [], body: chance.bytes(1 + chance.int(300)) }),
];

/** Writes a request as the bytes that are sent, wrong in one way or another. */
export function rawBytes(wire: WireRequest, chance: Chance): Uint8Array {
  const raw = chance.pick(MUTATIONS)(rawOf(wire), chance);
  const { head, body, lineBreak = "\r\n" } = raw;
  const start = head.length === 0
    ? NO_BYTES
    : latin1Bytes(`${head.join(lineBreak)}${lineBreak.repeat(2)}`);
  // two requests one after the other, now and then
  const once = joinBytes(start, body);
  const bytes = chance.is(0.05) ? joinBytes(once, once) : once;
  if (chance.is(0.15) && bytes.length > 0) {
    for (let i = chance.int(3); i >= 0; i--) bytes[chance.int(bytes.length)] = chance.int(256);
  }
  return chance.is(0.1) ? bytes.slice(0, chance.int(bytes.length)) : bytes;
}

function rawOf({ method, target, headers, body = new Uint8Array() }: WireRequest): RawRequest {
  const given = headers.filter(([name]) => name !== "content-length");
  return {
    head: [
      ...[`${method} ${target} HTTP/1.1`, "host: localhost"],
      ...given.map(([name, value]) => `${name}: ${value}`),
      ...(body.length > 0 ? [`content-length: ${body.length}`] : []),
    ],
    body,
  };
}

function isNoLength(line: string): boolean {
  return !line.startsWith("content-length");
}
