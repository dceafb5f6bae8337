import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { type ApiKey, newKey } from "../../lib/codec/api_key.ts";
import { RunnelError } from "../../lib/errors.ts";
import { KeyRing } from "../../lib/http/key_ring.ts";
import { createLogger } from "../../lib/log.ts";
import { apiKey } from "../_support/credentials.ts";

const GRANTS = { publish: ["a"] };
const log = createLogger({ level: "silent" });
const REFUSED = { code: "invalid_token" };

/** A ring over a list that a test changes, in a time of its own. */
function open(first: readonly ApiKey[], configured: readonly ApiKey[] = []) {
  const clock = FakeTimers.install({
    now: Date.now(),
    toFake: ["Date", "setTimeout", "clearTimeout", "performance"],
  });
  const state = { keys: first, reads: 0, failure: undefined as RunnelError | undefined };
  const list = () => {
    state.reads++;
    return state.failure === undefined
      ? Promise.resolve(state.keys)
      : Promise.reject(state.failure);
  };
  const ring = new KeyRing({ configured, source: { list }, log });
  return {
    ring,
    state,
    clock,
    [Symbol.dispose]() {
      ring[Symbol.dispose]();
      clock.uninstall();
    },
  };
}

Deno.test("identify() knows a key of the configuration without asking anybody", async () => {
  const { text, key } = apiKey("own", GRANTS);
  using stage = open([], [key]);
  const identity = await stage.ring.identify(text);
  assert.equal(identity.name, "key:own");
  assert.equal(identity.may("publish", "a"), true);
  assert.equal(identity.may("subscribe", "a"), false);
  assert.equal(stage.state.reads, 0);
});

Deno.test("identify() reads the stored keys once for many requests", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  for (let i = 0; i < 10; i++) await stage.ring.identify(text);
  assert.equal(stage.state.reads, 1);
});

Deno.test("identify() refuses a key that is not known, has another secret, or is no key", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const wrong = newKey(key.id).text;
  const parts = text.split("_");
  const changed = text.slice(0, -1) + (text.endsWith("A") ? "B" : "A");
  const texts = [newKey().text, wrong, changed, "rnk_", `rnk_${parts[1]}_`, `${text}x`, `${text} `];
  for (const one of texts) {
    await assert.rejects(async () => await stage.ring.identify(one), REFUSED, one);
  }
});

Deno.test("identify() finds a key that was made a moment ago", async () => {
  const [first, second] = [apiKey("first", GRANTS), apiKey("second", GRANTS)];
  using stage = open([first.key]);
  await stage.ring.identify(first.text);
  stage.state.keys = [first.key, second.key];
  stage.clock.tick(25);
  assert.equal((await stage.ring.identify(second.text)).name, "key:second");
});

Deno.test("identify() asks no more than fifty times a second, however many keys are made up", async () => {
  using stage = open([]);
  for (let i = 0; i < 100; i++) {
    await assert.rejects(async () => await stage.ring.identify(newKey().text), REFUSED);
    stage.clock.tick(4);
  }
  assert.ok(stage.state.reads <= 21, `${stage.state.reads} reads`);
});

Deno.test("a key that is revoked is refused, and ends what it has opened, within 2.5 seconds", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const { revoked } = await stage.ring.identify(text);
  await stage.clock.tickAsync(10_000);
  assert.equal(revoked?.aborted, false);
  stage.state.keys = [];
  await stage.clock.tickAsync(2_500);
  assert.equal(revoked?.aborted, true);
  await assert.rejects(async () => await stage.ring.identify(text), REFUSED);
});

Deno.test("a key that grants something else by now ends what it has opened", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const { revoked } = await stage.ring.identify(text);
  stage.state.keys = [{ ...key, publish: ["b"] }];
  await stage.clock.tickAsync(2_500);
  assert.equal(revoked?.aborted, true);
  assert.equal((await stage.ring.identify(text)).may("publish", "b"), true);
});

Deno.test("a rotated key is taken as long as it was said, and then ends what it has opened", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const before = await stage.ring.identify(text);
  const next = newKey(key.id);
  const until = Date.now() + 60_000;
  stage.state.keys = [{ ...key, hash: next.hash, previous: { hash: key.hash, until } }];
  await stage.clock.tickAsync(3_000);
  assert.equal(before.revoked?.aborted, false);
  assert.equal((await stage.ring.identify(text)).name, "key:stored");
  assert.equal((await stage.ring.identify(next.text)).name, "key:stored");
  await stage.clock.tickAsync(60_000);
  assert.equal(before.revoked?.aborted, true);
  await assert.rejects(async () => await stage.ring.identify(text), REFUSED);
  assert.equal((await stage.ring.identify(next.text)).name, "key:stored");
});

Deno.test("a key ends when it was said to", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  // the clock stands still only once the stage is open
  const expiresAt = Date.now() + 5_000;
  using stage = open([{ ...key, expiresAt }]);
  assert.equal((await stage.ring.identify(text)).expiresAt, expiresAt);
  await stage.clock.tickAsync(5_001);
  await assert.rejects(async () => await stage.ring.identify(text), REFUSED);
});

Deno.test("while the keys cannot be read nobody new is let in, and what is open stays", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const { revoked } = await stage.ring.identify(text);
  stage.state.failure = new RunnelError("redis_unavailable");
  await stage.clock.tickAsync(30_000);
  await assert.rejects(async () => await stage.ring.identify(text), { code: "redis_unavailable" });
  assert.equal(revoked?.aborted, false);
  stage.state.failure = undefined;
  assert.equal((await stage.ring.identify(text)).name, "key:stored");
});

Deno.test("holderOf() finds the key behind a ticket, until that text of the key is taken no more", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  const { keyRef = "" } = await stage.ring.identify(text);
  assert.ok(!keyRef.includes(text.slice(-20)));
  assert.equal((await stage.ring.holderOf(keyRef)).name, "key:stored");
  stage.state.keys = [{ ...key, hash: newKey(key.id).hash }];
  await stage.clock.tickAsync(2_500);
  await assert.rejects(stage.ring.holderOf(keyRef), REFUSED);
  for (const other of ["", ".", key.id, `${key.id}.`, "x.y"]) {
    await assert.rejects(stage.ring.holderOf(other), REFUSED);
  }
});

Deno.test("identify() finds the new text of a key that was rotated a moment ago", async () => {
  const { text, key } = apiKey("stored", GRANTS);
  using stage = open([key]);
  await stage.ring.identify(text);
  const next = newKey(key.id);
  stage.state.keys = [{ ...key, hash: next.hash }];
  stage.clock.tick(25);
  assert.equal((await stage.ring.identify(next.text)).name, "key:stored");
  await assert.rejects(async () => await stage.ring.identify(text), REFUSED);
});

Deno.test("identify() does not refuse a key by a list whose reading began before it was made", async () => {
  const [first, second] = [apiKey("first", GRANTS), apiKey("second", GRANTS)];
  using stage = open([first.key]);
  const early = stage.ring.identify(first.text);
  stage.state.keys = [first.key, second.key];
  stage.clock.tick(25);
  const late = stage.ring.identify(second.text);
  assert.equal((await early).name, "key:first");
  assert.equal((await late).name, "key:second");
});
