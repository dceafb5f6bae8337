/** Values that programs stumble over. */
import { rawJson } from "./fuzz_request.ts";

const LONG = [128, 129, 512, 513, 1_024, 1_025, 5_000].map((length) => "x".repeat(length));

/** Texts for any place that takes one. */
export const ODD_TEXTS: readonly string[] = [
  ...[
    "",
    " ",
    "\t",
    "\0",
    "a\0b",
    "\n",
    "a\r\nb",
    "\u0085",
    "\u2028",
    "\u202e",
    "\u200b",
    "\ufeff",
  ],
  ...[
    "\ud800",
    "k\ud83d",
    "\udc00k",
    "\udfff\ud800",
    "a\udc00",
    "\uffff",
    "\u{10ffff}",
    "e\u0301",
    "é",
    "İ",
    "漢字",
  ],
  ...[
    "🏳️‍🌈",
    "\u200d",
    "ﷺ".repeat(200),
    "%",
    "%00",
    "%zz",
    "%25",
    "+",
    "..",
    "../..",
    ".",
    "/",
    "//",
  ],
  ...["\\", "*", "**", "***", "a*", "a,b", ",", "|", "a|b", "~", "$", "$dead.a", "$dead.$dead.a"],
  ...[
    "$inbox.",
    "$inbox.00000000-0000-4000-8000-000000000000",
    "$ready",
    "open",
    "error",
    "message",
  ],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON"],
  ...[
    "null",
    "undefined",
    "NaN",
    "Infinity",
    "-0",
    "0x10",
    "1e400",
    "1e3",
    "-1",
    "1.5",
    "٣",
    "true",
  ],
  ...["0-0", "1-1", "1-", "-1", "1-2-3", "999999999999999-9007199254740991", "9-99999999999999999"],
  ...[
    "0.0-0",
    "0.1-1~1.1-1~2",
    "63.1-1~64",
    "99.1-1",
    "0.1-1~0.1-1~1",
    "~",
    "0.1-1~",
    "1767225600000-0",
  ],
  ...["latest", "earliest", "last:0", "last:5", "last:1000", "last:1001", "last:", "10m", "0s"],
  ...[
    "999999999999d",
    "10y",
    "1970-01-01",
    "2026-13-01T00:00:00Z",
    "2026-02-30",
    "9999-12-31T23:59:59Z",
  ],
  ...["0000-01-01T00:00:00Z", "+275760-09-13T00:00:00.000Z", "2026-01-01T00:00:00.123456789+14:00"],
  ...["'; DROP TABLE t; --", "<script>alert(1)</script>", "${7*7}", "{{7*7}}", '"', "{}", "[]"],
  ...[
    "*3\r\n$3\r\nSET\r\n",
    "{rn:0}:meta",
    "{tag}",
    "{",
    "}",
    "t|g:due",
    "a:lease",
    "==",
    "AA==",
    "A",
  ],
  ...["application/json", "text/plain;charset=utf-16", "x-user-defined", ...LONG],
];

/** Numbers as JSON texts, some of which are none. */
const NUMBER_TEXTS = [
  ...[
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "1.0",
    "1e0",
    "1e21",
    "-1e21",
    "1e308",
    "1e400",
    "-1e400",
    "1e-400",
  ],
  ...["2147483647", "2147483648", "4294967296", "9007199254740991", "9007199254740992", "1E+2"],
  ...[
    "18446744073709551616",
    "NaN",
    "Infinity",
    "01",
    "+1",
    "1.",
    ".5",
    "0x1",
    "1_000",
    "9".repeat(400),
  ],
];

const own = (name: string, value: unknown) => JSON.parse(`{${JSON.stringify(name)}:${value}}`);

/** A value that is nested so deep. */
export function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Values for any place in a JSON document. */
export const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, [], {}, [[]], [null], [1, "a"], [{}], { a: {} }, { length: 1 }],
  ...[own("__proto__", 1), own("__proto__", "{}"), own("constructor", "{}"), own("", 1)],
  ...["__proto__", "constructor", "toString", "toJSON"].map((name) => own(name, '"x"')),
  ...[nested(20), nested(2_000), Array.from({ length: 1_001 }, () => "1-1")],
  Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, "v"])),
  ...NUMBER_TEXTS.map(rawJson),
  ...ODD_TEXTS,
];

/** Numbers for a query. */
export const ODD_NUMBERS: readonly string[] = [...NUMBER_TEXTS, "", " 1", "1 ", "１", "1,000", "-"];

/** Content types that few send. */
export const ODD_TYPES: readonly string[] = [
  ...[
    "",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html; charset=utf-16le",
    "text/x; charset=nope",
  ],
  ...[
    'text/plain; charset=""',
    "application/json; charset=latin1",
    "application/x-ndjson",
    "a/b+json",
  ],
  ...[
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "json",
    ";",
  ],
  ...[
    "APPLICATION/JSON",
    "application/json,application/json",
    "image/png",
    "application/json ; a=b",
  ],
];

/** Headers that change what a request means, or look as if they did. */
export const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ...[
    "Bearer",
    "Bearer ",
    "Bearer a.b.c",
    "Bearer rnk_x",
    "Basic YTpi",
    "bearer e30.e30.",
    "\u00ff",
  ]
    .map((value) => ["authorization", value] as const),
  ...["runnel=", "runnel=a.b.c", "=; ;;=x", `runnel-${"A".repeat(22)}=e30.e30.e30`, "a=b; a=c"]
    .map((value) => ["cookie", value] as const),
  ...["same-origin", "none", "cross-site"].map((value) => ["sec-fetch-site", value] as const),
  ...ODD_TYPES.map((type) => ["content-type", type] as const),
  ...["gzip", "identity", "br, gzip", ""].map((value) => ["content-encoding", value] as const),
  ...["text/event-stream", "application/x-ndjson", "text/html", "*/*;q=0", "", ";;q=x,,", "a/b;q=2"]
    .map((value) => ["accept", value] as const),
  ...["0", "-1", "1e3", "99999999999999999999", "NaN", "", "1, 1", "0x10"]
    .map((value) => ["content-length", value] as const),
  ...[
    "http://localhost",
    "https://evil.example",
    "null",
    "",
    "https://app.example.com",
    "http://[::1",
  ]
    .map((value) => ["origin", value] as const),
  ...["mine", "a b", "x".repeat(128), "x".repeat(129), "__proto__", "\u00e9"]
    .map((value) => ["x-request-id", value] as const),
  ...["1-1", "last:2", "", "earliest", "0.1-1~1", "\u00ff"].map((value) =>
    ["last-event-id", value] as const
  ),
  ...["k", "", "\u00c3\u00a9", "\u00ff\u00fe", "x".repeat(1_025)].map((value) =>
    ["idempotency-key", value] as const
  ),
  ...[["x-runnel-ttl-ms", "1000"], ["x-runnel-ttl-ms", "-1"], ["x-runnel-type", "\u00ff"]] as const,
  ...[["x-runnel-nope", "1"], ["x-runnel-", "1"], ["x-runnel-__proto__", "1"]] as const,
  ...[["x-runnel-durability", "ephemeral"], ["x-runnel-key", ""], [
    "transfer-encoding",
    "gzip",
  ]] as const,
  ...[["access-control-request-method", "POST"], [
    "access-control-request-headers",
    "x, y",
  ]] as const,
  ...[["authorization", "Bearer x"], ["cookie", "a=b"], ["range", "bytes=0-1"], [
    "te",
    "trailers",
  ]] as const,
  ...[["expect", "100-continue"], ["upgrade", "websocket"], ["connection", "upgrade"]] as const,
  ...[["x-forwarded-host", "evil.example"], ["x-http-method-override", "DELETE"]] as const,
  ...[["if-none-match", "*"], ["cache-control", "only-if-cached"], [
    "x-large",
    "y".repeat(8_000),
  ]] as const,
];

/** Methods, of which some are none. */
export const ODD_METHODS: readonly string[] = [
  ...[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "PROPFIND",
    "post",
    "get",
    "QUERY",
  ],
  ...["M-SEARCH", "__proto__", "constructor", "X".repeat(300)],
];

/** What may stand in a path or query where percent-encoding is expected. */
export const ODD_ENCODINGS: readonly string[] = [
  ...[
    "%",
    "%2",
    "%zz",
    "%00",
    "%0a",
    "%0d%0a",
    "%20",
    "+",
    "%2e%2e",
    "%2f",
    "%5c",
    "%25",
    "%2525",
    "%3f",
  ],
  ...[
    "%c0%af",
    "%ff",
    "%e2%82",
    "%ed%a0%80",
    "%f4%90%80%80",
    "%C3%A9",
    "%u0041",
    "%7e",
    "%2C",
    "%2a",
    "%23",
  ],
];
