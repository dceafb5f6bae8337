import assert from "node:assert/strict";
import { messageLine } from "../../lib/cli/message_line.ts";
import { printable } from "../../lib/cli/printable.ts";
import { MemoryTerminal } from "./memory_terminal.ts";

const message = { id: "1-2", topic: "t", time: "2026-01-02T03:04:05.678Z" };
const terminal = new MemoryTerminal();

Deno.test("messageLine() shows time, topic, id, type and data", () => {
  assert.equal(
    messageLine({ ...message, type: "created", data: { a: 1 } }, terminal),
    '03:04:05.678  t  1-2  created  {"a":1}',
  );
  assert.equal(messageLine({ ...message, data: "Hello" }, terminal), "03:04:05.678  t  1-2  Hello");
});

Deno.test("messageLine() shows binary data and messages without an id", () => {
  const line = messageLine({ ...message, id: null, dataBase64: "AAE=" }, terminal);
  assert.equal(line, "03:04:05.678  t  -  base64 AAE=");
});

Deno.test("messageLine() keeps escape sequences in data and type from reaching the terminal", () => {
  const line = messageLine({ ...message, type: "\x1b[2J", data: "a\nb\x9bc" }, terminal);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
  assert.ok(line.endsWith("\\u001b[2J  a\\nb\\u009bc"), line);
});

Deno.test("printable() leaves Unicode alone", () => {
  assert.equal(printable("grüße 👋 日本"), "grüße 👋 日本");
});
