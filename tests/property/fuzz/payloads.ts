/** What valid messages carry. */
import type { Chance } from "./chance.ts";

const VALUES: readonly unknown[] = [
  ...[null, true, 0, -1.5, 1e21, "", "text", "é漢🏳", "line\nline\r\n: id: 1", "\0", [], {}],
  ...[{ id: 7 }, [1, [2, [3]]], { "": { "": "" } }, { data: { data: 1 } }, "x".repeat(3_000)],
];
const TYPES = ["created", "é", "a b", "constructor", "__proto__"];

/** A payload, and what describes it. */
export function payload(chance: Chance): Record<string, unknown> {
  const content = chance.is(0.1)
    ? { dataBase64: btoa(String.fromCharCode(...chance.bytes(chance.int(40)))) }
    : { data: chance.pick(VALUES) };
  return {
    ...content,
    ...chance.fields(0.15, {
      type: () => chance.pick(TYPES),
      headers: () => ({ trace: "1", constructor: "2", ...(chance.is(0.5) ? { "": "é" } : {}) }),
      contentType: () => chance.pick(["text/plain", "image/png", "é"]),
    }),
  };
}

/** What a message says beside its payload, where it is stored at once. */
export function options(chance: Chance): Record<string, unknown> {
  return chance.fields(0.2, {
    key: () => chance.pick(["k1", "k2", "__proto__"]),
    idempotencyKey: () => `i${chance.int(500)}`,
    ttlMs: () => 1 + chance.int(2_000),
  });
}

/** When a message of later is due: soon, or so late that it stays until it is cancelled. */
export function later(chance: Chance): Record<string, unknown> {
  const ms = chance.is(0.9) ? 1 + chance.int(300) : 3_600_000 + chance.int(1_000);
  return chance.is(0.5) ? { delayMs: ms } : { at: new Date(Date.now() + ms).toISOString() };
}

function attributes(chance: Chance): Record<string, unknown> {
  return {
    ...{
      specversion: "1.0",
      id: `e${chance.int(1_000_000)}`,
      source: chance.pick(["/s", "urn:x:1"]),
    },
    type: chance.pick([...TYPES, "com.example.created", "error"]),
    ...chance.fields(0.2, {
      subject: () => "é 🌍",
      time: () => "2026-01-02T03:04:05Z",
      partitionkey: () => chance.pick(["k1", "k2"]),
      count: () => chance.int(9),
      flag: () => chance.is(0.5),
      constructor: () => "x",
    }),
  };
}

/** A CloudEvent as JSON. */
export function cloudEvent(chance: Chance): Record<string, unknown> {
  if (chance.is(0.2)) return attributes(chance);
  return {
    ...attributes(chance),
    ...(chance.is(0.3) ? { data_base64: "AP8=" } : { data: chance.pick(VALUES) }),
  };
}

/** A CloudEvent's attributes as headers. */
export function eventHeaders(chance: Chance): Record<string, string> {
  const entries = Object.entries(attributes(chance));
  return Object.fromEntries(
    entries.map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value))]),
  );
}
