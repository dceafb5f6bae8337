/** What a hostile client sends: each is refused or carried as it is, harms nobody else, and tells nothing of the inside. */
import assert from "node:assert/strict";
import { TopicPattern } from "../../lib/codec/topic_pattern.ts";
import { bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { type Fixture, startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publishId, send } from "../_support/http.ts";
import { ndjsonLines, readNdjson } from "../_support/ndjson.ts";
import { answerTo, connectRaw, latin1 } from "../_support/raw_http.ts";
import { openStream } from "../_support/sse.ts";

const MEGABYTE = 1_000_000;
const NDJSON = "application/x-ndjson";

function portOf({ url }: Fixture): number {
  return Number(new URL(url).port);
}

/** A request without a body, as text of which each character is a byte. */
function get(target: string, ...lines: string[]): Uint8Array {
  return latin1([`GET ${target} HTTP/1.1`, "Host: localhost", ...lines, "", ""].join("\r\n"));
}

/** A publish of `hi`, likewise. */
function post(target: string, ...lines: string[]): Uint8Array {
  const head = [`POST ${target} HTTP/1.1`, "Host: localhost", ...lines, "Content-Length: 2"];
  return latin1([...head, "", "hi"].join("\r\n"));
}

/** The status that is answered; 0 where the connection was ended in place of an answer. */
async function statusOf(fixture: Fixture, raw: Uint8Array): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await answerTo(portOf(fixture), raw))?.[1] ?? 0);
}

/** Posts bytes, with a content type and further headers. */
function upload(
  { url }: Fixture,
  path: string,
  { body, type, ...headers }: { body: BodyInit; type: string; [header: string]: BodyInit | string },
): Promise<Response> {
  const more = headers as Record<string, string>; // only `body` is not text
  return fetch(url + path, { method: "POST", body, headers: { "content-type": type, ...more } });
}

async function assertAlive({ url }: Fixture): Promise<void> {
  await publishId(url, { topic: "alive", data: 1 });
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("a flood of headers is refused while others are served", async (t) => {
  await using fixture = await startRunnel();
  const many = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: ${i}`);
  const floods: [string, Uint8Array][] = [
    ["one of five megabytes", get("/topics", `x: ${"x".repeat(5 * MEGABYTE)}`)],
    ["a name of a megabyte", get("/topics", `${"x".repeat(MEGABYTE)}: x`)],
    ["a thousand", get("/topics", ...many(1_000))],
    ["a hundred thousand", get("/topics", ...many(100_000))],
    ["a path of a megabyte", get(`/topics/${"x".repeat(MEGABYTE)}`)],
    ["a query of a megabyte", get(`/topics?prefix=${"x".repeat(MEGABYTE)}`)],
  ];
  for (const [name, flood] of floods) {
    await t.step(name, async () => {
      const [status] = await Promise.all([statusOf(fixture, flood), assertAlive(fixture)]);
      assert.ok(status === 0 || status >= 400 && status < 500, `${status}`);
    });
  }
});

Deno.test("heads and bodies that never come to an end keep nobody else from being served", async () => {
  await using fixture = await startRunnel();
  const port = portOf(fixture);
  const beginnings = [
    "GET /topics HTTP/1.1\r\nHost: local",
    "",
    "POST /publish/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
    "POST /publish/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nhalf",
    "POST /batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n3\r\nhal",
  ];
  const connections = await Promise.all(
    beginnings.flatMap((text) => Array.from({ length: 40 }, () => connectRaw(port, text))),
  );
  for (let i = 0; i < 10; i++) await assertAlive(fixture);
  for (const connection of connections) connection.close();
  assert.equal((await readHistory(fixture.url, "alive")).length, 10);
  assert.equal((await send(`${fixture.url}/topics/a`)).status, 404);
});

Deno.test("a compressed body is refused unread, so that no bomb goes off", async (t) => {
  await using fixture = await startRunnel();
  const bomb = await gzip(JSON.stringify({ topic: "t", data: "x".repeat(50 * MEGABYTE) }));
  assert.ok(bomb.length < 100_000);
  const posts: [string, string][] = [
    ["/publish", "application/json"],
    ["/publish/t", "text/plain"],
    ["/batch", "application/json"],
    ["/batch", NDJSON],
    ["/pull", "application/json"],
    ["/ack", "application/json"],
    ["/request", "application/json"],
    ["/reply", "application/json"],
  ];
  for (const [path, type] of posts) {
    for (const encoding of ["gzip", "x-gzip", "deflate", "br", "identity, gzip"]) {
      await t.step(`${path} as ${type} in ${encoding}`, async () => {
        const headers = { type, "content-encoding": encoding };
        const response = await upload(fixture, path, { body: bomb, ...headers });
        assert.equal(response.status, 415);
        assert.equal((await response.json()).code, "unsupported_media_type");
      });
    }
  }
  assert.equal((await send(`${fixture.url}/topics`)).body.topics instanceof Array, true);
});

Deno.test("a compressed file as the payload itself stays what it is", async () => {
  await using fixture = await startRunnel();
  const file = await gzip("x".repeat(MEGABYTE));
  const response = await upload(fixture, "/publish/t", { body: file, type: "application/gzip" });
  assert.equal(response.status, 200, await response.text());
  const [message] = await readHistory(fixture.url, "t");
  assert.deepEqual(Uint8Array.fromBase64(message?.dataBase64 ?? ""), file);
});

Deno.test("JSON nested a million deep is refused wherever JSON is taken", async (t) => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "4194304" } });
  const arrays = "[".repeat(MEGABYTE) + "]".repeat(MEGABYTE);
  const objects = `${'{"a":'.repeat(MEGABYTE / 4)}1${"}".repeat(MEGABYTE / 4)}`;
  const open = "[".repeat(MEGABYTE);
  const message = (data: string) => `{"topic":"t","data":${data}}`;
  for (const [kind, data] of Object.entries({ arrays, objects, open })) {
    const posts: [string, string, string][] = [
      ["/publish/t", "application/json", data],
      ["/publish", "application/json", message(data)],
      ["/publish", "application/json", data],
      ["/batch", "application/json", `[${message("1")},${message(data)}]`],
      ["/request", "application/json", `{"topic":"t","data":${data},"timeoutMs":1}`],
      ["/pull", "application/json", data],
    ];
    for (const [path, type, body] of posts) {
      await t.step(`${kind} to ${path}`, async () => {
        const response = await upload(fixture, path, { body, type });
        assert.equal(response.status, 400);
        assert.match((await response.json()).code, /^invalid_(request|json)$/);
      });
    }
    await t.step(`${kind} in a line among others`, async () => {
      const body = [message("1"), message(data), message("2")].join("\n");
      const results = await readNdjson(await upload(fixture, "/batch", { body, type: NDJSON }));
      assert.deepEqual(results.at(-1), { accepted: 2, rejected: 1 });
    });
  }
  assert.equal((await readHistory(fixture.url, "t")).length, 6);
});

Deno.test("what is nested as deep as is taken reaches every kind of subscriber", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const data = JSON.parse("[".repeat(498) + "]".repeat(498));
  await publishId(url, { topic: "t", data });
  assert.deepEqual((await readHistory(url, "t"))[0]?.data, data);
  await using stream = await openStream(`${url}/subscribe/t?since=earliest`);
  assert.deepEqual((await stream.messages(1))[0]?.data, data);
  for (const format of ["message", "data", "cloudevents"]) {
    const headers = { accept: NDJSON };
    const query = `since=earliest&wait=0&format=${format}`;
    const lines = await readNdjson(await fetch(`${url}/subscribe/t?${query}`, { headers }));
    assert.ok(lines.some((line) => JSON.stringify(line).includes(JSON.stringify(data))), format);
  }
});

Deno.test("a number comes back as it was sent, however large or precise", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const numbers = [
    "12345678901234567890",
    "-9223372036854775808",
    "9007199254740993",
    "1e400",
    "-1e400",
    "1e-400",
    "0.12345678901234567890",
    "1e+308",
    "0.1",
  ];
  const data = `{"list":[${numbers.join(",")}],"deep":{"n":${numbers[0]}}}`;
  const type = "application/json";
  await t.step("published in every way", async () => {
    const message = `{"topic":"t","data":${data}}`;
    for (
      const [path, body, as] of [
        ["/publish", message, type],
        ["/publish/t", data, type],
        ["/batch", `[${message}]`, type],
        ["/batch", message, NDJSON],
      ] as const
    ) {
      const response = await upload(fixture, path, { body, type: as });
      assert.equal(response.status, 200, await response.text());
    }
  });
  const holds = async (path: string, init: RequestInit = {}, times = 4) => {
    const text = await (await fetch(url + path, init)).text();
    assert.equal(text.split(data).length - 1, times, text);
  };
  const accept = { headers: { accept: NDJSON } };
  await t.step("read as history", () => holds("/topics/t/messages"));
  for (const format of ["message", "data", "cloudevents"]) {
    const path = `/subscribe/t?since=earliest&wait=0&format=${format}`;
    await t.step(`streamed as SSE, ${format}`, () => holds(path));
    await t.step(`streamed as NDJSON, ${format}`, () => holds(path, accept));
  }
  await t.step("pulled by a group", async () => {
    const body = '{"topic":"t","group":"g","since":"earliest","max":10}';
    await holds("/pull", { method: "POST", body, headers: { "content-type": type } });
  });
  await t.step("as the same payload under an idempotency key, and as another one", async () => {
    const once = (number: string) =>
      upload(fixture, "/publish/once", { body: number, type, "idempotency-key": "k" });
    assert.equal((await (await once("12345678901234567890")).json()).duplicate, false);
    assert.equal((await (await once("12345678901234567890")).json()).duplicate, true);
    assert.equal((await (await once("12345678901234567891")).json()).code, "idempotency_conflict");
  });
});

Deno.test("a number that is too large for a field is refused there", async () => {
  await using fixture = await startRunnel();
  for (const ttlMs of ["1e400", "12345678901234567890", "-0", "-1e400", "1e-400"]) {
    const body = `{"topic":"t","data":1,"ttlMs":${ttlMs}}`;
    const response = await upload(fixture, "/publish", { body, type: "application/json" });
    const problem = await response.json();
    assert.equal(response.status, 400, ttlMs);
    assert.equal(problem.errors[0].pointer, "#/ttlMs", ttlMs);
  }
  for (const limit of ["1e3", "0x10", "12345678901234567890", "-1", "1.5", "Infinity", "%20%201"]) {
    const answer = await send(`${fixture.url}/topics?limit=${limit}`);
    assertProblem(answer, { status: 400, code: "invalid_request", pointer: "?limit" });
  }
});

Deno.test("keys of JavaScript's own objects are data like any other, or refused, and change nothing", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const type = "application/json";
  const own = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const data =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}';
  await t.step("in data they come back", async () => {
    await upload(fixture, "/publish/data", { body: data, type }).then((one) => one.body?.cancel());
    const history = await (await fetch(`${url}/topics/data/messages`)).text();
    assert.ok(history.includes(`"data":${data}`), history);
  });
  await t.step("as names of topics, keys and groups they are names", async () => {
    for (const name of ["__proto__", "constructor", "hasOwnProperty"]) {
      await publishId(url, { topic: name, data: 1, key: name, idempotencyKey: name });
      const pull = { topic: name, group: name, consumer: name, since: "earliest" };
      const { status, body } = await send(`${url}/pull`, { json: pull });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual((await readHistory(url, name)).map(({ key }) => key), [name]);
    }
  });
  await t.step("as fields, headers and parameters they are not known", async () => {
    const bodies = [
      ['{"topic":"t","data":1,"__proto__":{"ttlMs":1}}', "#/__proto__"],
      ['{"topic":"t","data":1,"constructor":1}', "#/constructor"],
      ['{"topic":"t","data":1,"headers":{"__proto__":"x"}}', "#/headers/__proto__"],
      ['{"__proto__":{"topic":"t","data":1}}', "#/topic"],
    ] as const;
    for (const [body, pointer] of bodies) {
      const problem = await (await upload(fixture, "/publish", { body, type })).json();
      assert.equal(problem.code, "invalid_request");
      assert.ok(problem.errors.some((one: { pointer: string }) => one.pointer === pointer), body);
    }
    for (const name of ["__proto__", "constructor", "toString"]) {
      const answer = await send(`${url}/topics?${name}=1`);
      assertProblem(answer, { status: 400, code: "invalid_request", pointer: `?${name}` });
      assert.equal(await statusOf(fixture, post("/publish/t", `x-runnel-${name}: 1`)), 400);
    }
  });
  await t.step("and no object has got another key", () => {
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), own);
    assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
  });
});

Deno.test("bytes that are not UTF-8 are refused wherever they stand", async (t) => {
  await using fixture = await startRunnel();
  const WRONG: [string, string][] = [
    ["an overlong slash", "\xc0\xaf"],
    ["an overlong NUL", "\xe0\x80\x80"],
    ["half a surrogate pair", "\xed\xa0\x80"],
    ["beyond Unicode", "\xf4\x90\x80\x80"],
    ["a lone continuation", "\x80"],
    ["a cut character", "\xe2\x82"],
    ["no UTF-8 at all", "\xff\xfe"],
  ];
  const encoded = (text: string) =>
    text.replace(/[^]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  for (const [name, bytes] of WRONG) {
    await t.step(name, async () => {
      const statuses = await Promise.all([
        statusOf(fixture, get(`/topics/${bytes}`)),
        statusOf(fixture, get(`/topics/${encoded(bytes)}`)),
        statusOf(fixture, get(`/subscribe?topic=${encoded(bytes)}`)),
        statusOf(fixture, get(`/topics?prefix=${bytes}`)),
        statusOf(fixture, get(`/topics?${encoded(bytes)}=1`)),
        statusOf(fixture, get("/subscribe?topic=t&wait=0", `Last-Event-ID: ${bytes}`)),
        statusOf(fixture, post("/publish/t", `X-Runnel-Type: ${bytes}`)),
        statusOf(fixture, post("/publish/t", `X-Runnel-Key: ${bytes}`)),
        statusOf(fixture, post("/publish/t", `Idempotency-Key: ${bytes}`)),
        statusOf(fixture, post(`/publish/t?type=${encoded(bytes)}`)),
      ]);
      assert.deepEqual(statuses, Array(statuses.length).fill(400));
      for (const type of ["application/json", "text/plain", "text/html; charset=utf-8"]) {
        const body = latin1(`"${bytes}"`).slice();
        const response = await upload(fixture, "/publish/t", { body, type });
        assert.equal(response.status, 400, type);
        await response.body?.cancel();
      }
    });
  }
  assert.equal((await send(`${fixture.url}/topics/t`)).status, 404);
});

Deno.test("half a surrogate pair is refused in names, and escaped in data as it came", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  for (const field of ["topic", "key", "type", "idempotencyKey"]) {
    const answer = await send(`${url}/publish`, {
      json: { topic: "t", data: 1, [field]: "a\ud800" },
    });
    assert.equal(answer.status, 400, field);
  }
  await publishId(url, { topic: "t", data: "a\ud800", headers: { h: "\udc00" } });
  await using stream = await openStream(`${url}/subscribe/t?since=earliest`);
  const [message] = await stream.messages(1);
  assert.deepEqual([message?.data, message?.headers], ["a\ud800", { h: "\udc00" }]);
});

Deno.test("a path leads nowhere but to the route that it spells", async (t) => {
  await using fixture = await startRunnel();
  const expect = (target: string, wanted: RegExp) =>
    t.step(JSON.stringify(target), async () => {
      const answer = await answerTo(portOf(fixture), get(target));
      assert.match(answer, wanted);
      assert.doesNotMatch(answer, /root:|deno\.json|\/lib\//);
    });
  const [topic, nothing, refused] = [
    /404 [^]*There is no topic/,
    /404 [^]*nothing at this/,
    / 400 /,
  ];
  for (const name of ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%2fb", "a\\b", "%25%32%66"]) {
    await expect(`/topics/${name}`, topic);
  }
  for (const path of ["//topics//t", "/topics//messages", "/TOPICS", "/topics;x=1"]) {
    await expect(path, nothing);
  }
  await expect("/..%2f..%2f..%2fetc%2fpasswd", nothing);
  await expect("/../../../etc/passwd", nothing);
  await expect("file:///etc/passwd", nothing);
  for (
    const name of [
      "a%00b",
      "%00",
      "%0d%0aSet-Cookie:%20a=b",
      "%7f",
      "%e2%80%ae",
      "%",
      "%zz",
      "%u0041",
    ]
  ) {
    await expect(`/topics/${name}`, refused);
  }
  for (const target of ["\\topics", "topics", "*", "/topics/a b", "/topics/\0", "/topics/\x01"]) {
    await expect(target, refused);
  }
});

Deno.test("an address in place of a path is held to the same Host rule", async () => {
  await using fixture = await startRunnel();
  const cases: [string, number][] = [
    ["http://localhost/topics", 200],
    ["http://evil.example/topics", 403],
    ["http://evil.example:80/topics", 403],
    ["http://user:pw@localhost/topics", 403],
    ["http://localhost@evil.example/topics", 403],
    ["http://localhost.evil.example/topics", 403],
  ];
  for (const [target, status] of cases) {
    assert.equal(await statusOf(fixture, get(target)), status, target);
  }
});

Deno.test("a request of two meanings is refused", async (t) => {
  await using fixture = await startRunnel();
  const head = "POST /publish/t HTTP/1.1\r\nHost: localhost\r\n";
  const smuggled = "0\r\n\r\nDELETE /topics/t HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const cases: [string, string][] = [
    ["two lengths", `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi`],
    [
      "a length and chunks",
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled}`,
    ],
    ["chunks not last", `${head}Transfer-Encoding: chunked, identity\r\n\r\n${smuggled}`],
    ["a length that is none", `${head}Content-Length: +2\r\n\r\nhi`],
    ["two Hosts", `${head}Host: evil.example\r\nContent-Length: 2\r\n\r\nhi`],
    ["a folded header", `${head}X-A: a\r\n b\r\nContent-Length: 2\r\n\r\nhi`],
    ["a space before the colon", `${head}Content-Length : 2\r\n\r\nhi`],
    ["a NUL in a header", `${head}X-A: a\0b\r\nContent-Length: 2\r\n\r\nhi`],
    ["TLS to a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ];
  for (const [name, text] of cases) {
    await t.step(name, async () => {
      const status = await statusOf(fixture, latin1(text));
      assert.ok(status === 0 || status === 400, `${status}`);
    });
  }
  assert.equal((await send(`${fixture.url}/topics/t`)).status, 404);
});

Deno.test("matching a pattern takes time in proportion to the topic, whatever the pattern", () => {
  const took = (pattern: TopicPattern, topic: string) => {
    let best = Infinity;
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      pattern.matches(topic);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  for (const part of ["*a", "**a", "a*", "*", "**", "*.", "a**"]) {
    const pattern = new TopicPattern(`${part.repeat(510 / part.length)}b**`);
    took(pattern, "a".repeat(512));
    const [small, large] = [32, 512].map((length) => took(pattern, "a".repeat(length)));
    // 16 times the topic; going back would take more steps than there are atoms
    assert.ok((large ?? 0) < 200 * Math.max(small ?? 0, 0.05), `${part}: ${small} and ${large}`);
  }
});

Deno.test("the worst patterns that somebody can have in a ticket hold up nobody else", async () => {
  await using fixture = await startRunnel({ env: JWT_ENV });
  const { url } = fixture;
  const headers = bearer(await token({ publish: ["a.**"] }));
  const publish = ["x", "y", "z"].map((end) => `a.**${"a**".repeat(155)}${end}**`);
  const { body: { ticket } } = await send(`${url}/token`, { json: { publish }, headers });
  const json = Array.from(
    { length: 1_800 },
    (_, i) => ({ topic: `a.${"a".repeat(490)}${i}`, data: 1 }),
  );
  const start = performance.now();
  const { body } = await send(`${url}/batch?ticket=${ticket}`, { json });
  assert.equal(body.rejected, json.length);
  // a walk with a step for each pair of characters took more than a minute, in which nothing else was answered
  assert.ok(performance.now() - start < 10_000, `${performance.now() - start} ms`);
});

Deno.test("a subscription of the worst patterns there are gets its messages", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const patterns = Array.from({ length: 10 }, (_, i) => `${"*a".repeat(200 + i)}**`);
  const query = patterns.map((pattern) => `topic=${pattern}`).join("&");
  await using stream = await openStream(`${url}/subscribe?${query}`);
  await stream.until("$ready");
  const id = await publishId(url, { topic: "a".repeat(512), data: 1 });
  assert.equal((await stream.messages(1))[0]?.id, id);
});

Deno.test("nothing that a client sends adds a line to the log or an escape to a terminal", async () => {
  await using fixture = await startRunnel();
  const { url, runnel } = fixture;
  const forged = '\r\n{"time":"2026-01-01T00:00:00.000Z","level":"error","message":"forged"}';
  const hostile = `${forged}\x1b[2J\x9b31m\u202e\u2028`;
  // a fault of the server's own, which is logged with whatever led to it
  await fixture.command("taken", "SET", "@:t:taken", hostile);
  const before = runnel.logs.length;
  const json = { topic: "taken", data: hostile, key: hostile, headers: { [hostile]: hostile } };
  for (const id of ["forged", "a b", '"},{"x":"', `${"x".repeat(129)}`]) {
    await send(`${url}/publish`, { json, headers: { "x-request-id": id } });
  }
  await send(`${url}/publish`, { json: { topic: hostile, data: 1 } });
  await send(`${url}/topics/${encodeURIComponent(hostile)}?${encodeURIComponent(hostile)}=1`);
  await send(
    `${url}/subscribe?topic=${encodeURIComponent(hostile)}&since=${encodeURIComponent(hostile)}`,
  );
  await statusOf(fixture, get("/topics", "X-Request-Id: \x1b[31m"));
  await statusOf(fixture, get("/topics", "X-Request-Id: a\x9b31m"));
  const lines = runnel.logs.slice(before);
  assert.ok(lines.length >= 4, lines.join("\n"));
  for (const line of lines) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const { level, message, requestId } = JSON.parse(line);
    assert.notEqual(message, "forged");
    assert.match(level, /^(debug|info|warn|error)$/);
    if (requestId !== undefined) assert.match(requestId, /^[\w.-]{1,128}$/);
  }
});

Deno.test("secrets in a request reach neither the log nor an answer", async () => {
  await using fixture = await startRunnel();
  const { url, runnel } = fixture;
  await fixture.command("taken", "SET", "@:t:taken", "foreign");
  const secret = "hunter2-hunter2";
  const headers = { authorization: `Bearer ${secret}`, cookie: `session=${secret}` };
  for (const name of ["ticket", "token", "access_token", "%74icket", "password"]) {
    for (
      const path of [
        "topics/taken/messages?",
        "topics/taken?",
        // in open mode a ticket is of no use, and the stream opens
        "subscribe/taken?wait=0&",
        "nothing?",
        "publish/taken?",
      ]
    ) {
      const text = JSON.stringify(
        (await send(`${url}/${path}${name}=${secret}`, { headers })).body,
      );
      assert.ok(!text.includes(secret), text);
    }
  }
  const failed = await send(`${url}/publish/taken`, { body: "x", headers });
  assert.equal(failed.status, 500);
  assert.ok(runnel.logs.some((line) => line.includes('"level":"error"')), "the failure is logged");
  assert.ok(!runnel.logs.join("\n").includes(secret));
});

Deno.test("a fault inside is answered without a word about the inside, and logged with all of it", async (t) => {
  const faults: [string, (fixture: Fixture) => Promise<unknown>][] = [
    ["a topic's key of another type", ({ command }) => command("t", "SET", "@:t:t", "x")],
    ["Runnel's own key of another type", ({ command }) => command("t", "SET", "@:meta", "x")],
    ["a log that is none", async ({ command }) => {
      await command("t", "DEL", "@:log");
      await command("t", "SET", "@:log", "x");
    }],
    ["a generation that is no number", ({ command }) => command("t", "HSET", "@:meta", "gen", "x")],
  ];
  for (const [name, spoil] of faults) {
    await t.step(name, async () => {
      await using fixture = await startRunnel();
      const { url } = fixture;
      await publishId(url, { topic: "t", data: 1 });
      await spoil(fixture);
      const answers = await Promise.all([
        send(`${url}/publish/t`, { body: "x" }),
        send(`${url}/batch`, { json: [{ topic: "t", data: 1 }] }),
        send(`${url}/topics/t/messages`),
        send(`${url}/topics/t`),
        send(`${url}/pull`, { json: { topic: "t", group: "g" } }),
        send(`${url}/subscribe/t?since=earliest&wait=0`),
      ]);
      const failed = answers.filter(({ status }) => status >= 500);
      assert.ok(failed.length > 0, JSON.stringify(answers.map(({ status }) => status)));
      for (const { body, headers } of failed) {
        const text = JSON.stringify(body);
        assert.doesNotMatch(
          text,
          /WRONGTYPE|ERR |user_script|lua|ioredis|redis:\/\/|\{rn|:meta|\.ts\b|file:|node_modules|stack| at \w|\d+\.\d+\.\d+\.\d+/i,
        );
        assert.equal(body.requestId, headers.get("x-request-id"));
      }
      const { requestId } = failed[0]?.body ?? {};
      const logged = fixture.runnel.logs.filter((line) => JSON.parse(line).requestId === requestId);
      assert.ok(logged.some((line) => /stack/.test(line)), "its log has the reason");
    });
  }
});

Deno.test("every HTML page forbids whatever it does not need", async () => {
  await using fixture = await startRunnel();
  for (const method of ["GET", "HEAD"]) {
    const response = await fetch(`${fixture.url}/`, { method });
    await response.body?.cancel();
    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    const policy = response.headers.get("content-security-policy") ?? "";
    for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"]) {
      assert.match(policy, new RegExp(`(^|; )${name} 'none'(;|$)`));
    }
    assert.doesNotMatch(policy, /unsafe-|\*|data:|https?:/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("x-frame-options"), "DENY");
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
    assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
  }
});

Deno.test("no answer but the pages' is taken for a page, whatever is in it", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const html = "<script>alert(1)</script>";
  await upload(fixture, "/publish/t", { body: html, type: "text/html" }).then((one) => one.text());
  const answers = await Promise.all([
    fetch(`${url}/topics/t/messages`),
    fetch(`${url}/topics/${encodeURIComponent(html)}`),
    fetch(`${url}/${html}`),
    fetch(`${url}/subscribe/t?since=earliest&wait=0`),
    fetch(`${url}/subscribe/t?since=earliest&wait=0&format=data`, { headers: { accept: NDJSON } }),
  ]);
  for (const response of answers) {
    await response.text();
    assert.doesNotMatch(response.headers.get("content-type") ?? "", /html|xml|javascript|svg/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  }
});

Deno.test("a Host that is no name is answered, and never by a fault", async () => {
  await using fixture = await startRunnel();
  for (
    const host of ["%zz", "[", "a b", "a/b", "a?b", "a#b", "", ":", "localhost:99999999", "\xff"]
  ) {
    for (const target of ["/", "/topics"]) {
      const text = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      assert.ok(await statusOf(fixture, latin1(text)) < 500, JSON.stringify(host));
    }
  }
  assert.ok(!fixture.runnel.logs.some((line) => line.includes('"level":"error"')));
});

Deno.test("an NDJSON line that never ends is given up at its limit, and the next is taken", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "2048" } });
  const body = `${"x".repeat(3 * MEGABYTE)}\n{"topic":"t","data":1}\n`;
  const response = await upload(fixture, "/batch", { body, type: NDJSON });
  const codes: unknown[] = [];
  for await (const line of ndjsonLines(response)) {
    codes.push((line.error as { code?: string } | undefined)?.code ?? Object.keys(line)[0]);
  }
  assert.deepEqual(codes, ["payload_too_large", "id", "accepted"]);
});
