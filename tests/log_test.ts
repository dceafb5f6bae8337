import assert from "node:assert/strict";
import { createLogger, LOG_LEVELS, type LogLevel, redact, withFields } from "../lib/log.ts";

/** A logger and the lines it wrote, parsed. */
function recorded(level: LogLevel = "debug") {
  const lines: string[] = [];
  const log = createLogger({ level, write: (line) => lines.push(line) });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

Deno.test("createLogger() writes one JSON line a call with time, level, message and fields", () => {
  const { log, parsed } = recorded();
  log.info("Started", { port: 8000 });
  const [line] = parsed();
  assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual({ ...line, time: "" }, {
    time: "",
    level: "info",
    message: "Started",
    port: 8000,
  });
});

Deno.test("createLogger() writes its own level and those above, none when silent", () => {
  const written = LOG_LEVELS.map((level) => {
    const { log, lines } = recorded(level);
    log.debug("x");
    log.info("x");
    log.warn("x");
    log.error("x");
    return lines.length;
  });
  assert.deepEqual(written, [4, 3, 2, 1, 0]);
});

Deno.test("createLogger() keeps line breaks inside the line", () => {
  const { log, lines } = recorded();
  log.warn("a\n{}\r", { "k\n": "v\u2028\n" });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? "", /[\r\n]/);
});

Deno.test("createLogger() escapes what would move a terminal's cursor or turn text round", () => {
  const { log, lines, parsed } = recorded();
  const hostile = "\x1b[2J\x9b31m\x7f\u202e\u2028\u200b\u{e0041}";
  log.warn(hostile, { [hostile]: hostile, error: new Error(hostile) });
  assert.doesNotMatch(lines[0] ?? "", /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.deepEqual([parsed()[0].message, parsed()[0][hostile]], [hostile, hostile]);
});

Deno.test("createLogger() masks passwords in URLs, in messages, fields, errors and their causes", () => {
  const { log, lines } = recorded();
  const cause = new TypeError("at redis://u:hunter2@h");
  log.error("Cannot reach rediss://u:hunter2@h/0", {
    url: "redis://:hunter2@h",
    list: [{ deep: "unix://a:hunter2@/s" }],
    error: new Error("redis://u:hunter2@h refused", { cause }),
    query: "/subscribe?ticket=hunter2&topic=a",
  });
  assert.doesNotMatch(lines[0] ?? "", /hunter2/);
  assert.match(lines[0] ?? "", /rediss:\/\/u:\*\*\*@h\/0/);
});

Deno.test("createLogger() masks values whose key names a secret, at any depth", () => {
  const { log, lines } = recorded();
  log.info("x", {
    password: "hunter2",
    redisPassword: { a: "hunter2" },
    headers: { Authorization: "Bearer hunter2", "Set-Cookie": "hunter2", accept: "ok" },
    map: new Map([["token", "hunter2"]]),
    ticket: null,
  });
  assert.doesNotMatch(lines[0] ?? "", /hunter2/);
  assert.match(lines[0] ?? "", /"accept":"ok"/);
});

Deno.test("createLogger() writes an error's name, message, code, stack and cause, and no other fields", () => {
  const { log, parsed } = recorded();
  const error = Object.assign(new RangeError("bad", { cause: "why" }), {
    code: "E1",
    command: { args: ["payload"] },
  });
  log.error("x", { error });
  const [{ error: written }] = parsed();
  assert.deepEqual(Object.keys(written), ["name", "message", "code", "stack", "cause"]);
  assert.equal(written.name, "RangeError");
  assert.match(written.stack, /log_test/);
});

Deno.test("createLogger() writes values that JSON has no form for", () => {
  const { log, parsed } = recorded();
  const circle: Record<string, unknown> = { n: 1n, bytes: new Uint8Array(3), bad: new Date(NaN) };
  circle["self"] = circle;
  log.info("x", { circle, when: new Date(0), f: () => 1, u: undefined });
  const [line] = parsed();
  assert.equal(line.circle.n, "1");
  assert.equal(line.circle.bytes, "[3 bytes]");
  assert.equal(line.when, "1970-01-01T00:00:00.000Z");
});

Deno.test("createLogger() cuts long texts and lists", () => {
  const { log, lines } = recorded();
  log.info("x".repeat(1_000_000), { list: Array(10_000).fill("y") });
  assert((lines[0]?.length ?? 0) < 20_000);
});

Deno.test("createLogger() never lets a field take the place of time, level or message", () => {
  const { log, parsed } = recorded();
  log.info("real", { message: "forged", level: "error", time: 0 });
  assert.deepEqual([parsed()[0].message, parsed()[0].level], ["real", "info"]);
});

Deno.test("createLogger() never throws, whatever a field or its writer does", () => {
  const { log } = recorded();
  const hostile = Object.defineProperty({}, "x", {
    enumerable: true,
    get: () => assert.fail("getter"),
  });
  assert.doesNotThrow(() => log.info("x", { hostile }));
  const closed = createLogger({ write: () => assert.fail("closed pipe") });
  assert.doesNotThrow(() => closed.error("x"));
});

Deno.test("withFields() adds its fields to every line, and a line's own win", () => {
  const { log, parsed } = recorded();
  const child = withFields(log, { requestId: "r1", a: 1 });
  child.debug("x");
  child.error("y", { a: 2 });
  assert.deepEqual(parsed().map(({ requestId, a }) => [requestId, a]), [["r1", 1], ["r1", 2]]);
});

Deno.test("redact() masks secret parameters, however their names are written", () => {
  for (
    const name of [
      "ticket",
      "token",
      "access_token",
      "Password",
      "client_secret",
      "%74icket",
      "tok%65n",
    ]
  ) {
    for (const before of ["/subscribe?", "/subscribe?topic=a&", "https://h/cb#"]) {
      const text = redact(`GET ${before}${name}=hunter2;hunter2 200`);
      assert.doesNotMatch(text, /hunter2/);
      assert.match(text, / 200$/);
    }
  }
});

Deno.test("redact() takes time in proportion to the text, whatever the text", () => {
  const took = (text: string) => {
    let best = Infinity;
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      redact(text);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  for (const part of ["a", "a.", "://", "a://b:", "?", "&a", "?token=", "%74"]) {
    const [small, large] = [512, 32_768].map((n) => took(part.repeat(n / part.length)));
    // 64 times the text; its square would be 4,096 times the work
    assert.ok((large ?? 0) < 1_000 * Math.max(small ?? 0, 0.005), `${part}: ${small} and ${large}`);
  }
});

Deno.test("redact() leaves texts without secrets alone", () => {
  const text = "GET http://h/a?b=c at 10:30 mail@example.com {a:b}";
  assert.equal(redact(text), text);
});
