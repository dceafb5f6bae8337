import assert from "node:assert/strict";
import { prepareMessage, publishSchema } from "../../lib/broker/publish_input.ts";
import { Committer } from "../../lib/broker/committer.ts";
import { NO_GROUPS } from "../_support/no_groups.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

/** Paths of the fields at fault. */
function faults(input: unknown): string[] {
  const { error } = publishSchema.safeParse(input);
  return (error?.issues ?? []).map(({ path }) => path.join("/"));
}

Deno.test("publishSchema takes an envelope with every field", () => {
  const fields = { type: "t", key: "k", idempotencyKey: "i", ttlMs: 1, durability: "stored" };
  const rest = { headers: { a: "b" }, contentType: "text/x" };
  assert.deepEqual(faults({ topic: "a", data: null, ...fields, ...rest }), []);
  assert.deepEqual(faults({ topic: "a", dataBase64: "AAE=" }), []);
});

Deno.test("publishSchema points at the field that is at fault", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["topic", { topic: "a b" }],
    ["topic", { topic: "$dead.x" }],
    ["topic", { topic: 5 }],
    ["type", { type: "message" }],
    ["type", { type: "a\nb" }],
    ["key", { key: "" }],
    ["key", { key: "x".repeat(1_025) }],
    ["idempotencyKey", { idempotencyKey: "" }],
    ["ttlMs", { ttlMs: 0 }],
    ["ttlMs", { ttlMs: 1.5 }],
    ["durability", { durability: "eternal" }],
    ["replicas", { replicas: 1 }],
    ["headers", {
      headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ""])),
    }],
    ["headers/a", { headers: { a: 1 } }],
    ["headers/__proto__", { headers: JSON.parse('{"__proto__":"x"}') }],
    ["ttlMs", { durability: "ephemeral", ttlMs: 1 }],
    ["idempotencyKey", { durability: "ephemeral", idempotencyKey: "k" }],
    ["contentType", { contentType: "" }],
    ["dataBase64", { data: undefined, dataBase64: "*" }],
  ];
  for (const [path, fields] of cases) {
    const { data, ...rest } = { topic: "a", data: 1, ...fields };
    assert.deepEqual(
      faults(data === undefined ? rest : { data, ...rest }),
      [path],
      JSON.stringify(fields),
    );
  }
  assert.deepEqual(faults({ topic: "a" }), ["data"]);
  assert.deepEqual(faults({ topic: "a", data: 1, dataBase64: "AA==" }), ["data"]);
  assert.deepEqual(faults({ topic: "a", data: 1, toppic: 1 }), [""]);
});

Deno.test("publishSchema refuses half a character where Redis would read it", () => {
  for (const field of ["key", "idempotencyKey"]) {
    assert.deepEqual(faults({ topic: "a", data: 1, [field]: "x\ud800" }), [field]);
  }
});

Deno.test("prepareMessage() tells the same payload from another under one key", () => {
  const input = (data: unknown) => publishSchema.parse({ topic: "a", data, idempotencyKey: "k" });
  const hashOf = (data: unknown) => JSON.parse(prepareMessage(input(data)).options).hash;
  assert.equal(hashOf({ a: 1 }), hashOf({ a: 1 }));
  assert.notEqual(hashOf({ a: 1 }), hashOf({ a: 2 }));
});

Deno.test("prepareMessage() leaves options empty where there are none", () => {
  const plain = prepareMessage(publishSchema.parse({ topic: "a", data: 1, type: "t" }));
  assert.deepEqual(plain, {
    topic: "a",
    body: '{"type":"t","data":1}',
    options: "",
    ephemeral: false,
  });
});

Deno.test("whatever publishSchema lets pass is stored, and spoils no one else's call", async () => {
  await using partition = redis.open();
  const committer = new Committer({
    store: partition.store,
    log: memoryLog().log,
    index: NO_GROUPS,
  });
  const strange = [
    "\u0000",
    "\u2028\r\n",
    '"\\',
    "😀",
    "\ufffd",
    "'); error(",
    "\x7f",
    "é".repeat(500),
  ];
  const inputs = strange.flatMap((text) => [
    { topic: "t", data: text, key: text, idempotencyKey: text, ttlMs: 3 * 365 * 86_400_000 },
    { topic: "t", data: { [text]: "\ud800" }, headers: { [text]: text }, contentType: text },
    { topic: "__proto__", data: text },
  ]);
  const messages = inputs.map((input) => prepareMessage(publishSchema.parse(input)));
  const outcomes = await committer.store(messages);
  await committer[Symbol.asyncDispose]();
  assert.ok(outcomes.every((one) => "id" in one), JSON.stringify(outcomes));
  const kept = await partition.store.history({ topic: "t", count: 99, descending: false });
  assert.deepEqual(
    kept.map(({ message }) => message.body),
    messages.filter(({ topic }) => topic === "t").map(({ body }) => body),
  );
});
