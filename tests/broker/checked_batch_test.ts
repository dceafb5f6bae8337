import assert from "node:assert/strict";
import { type Checked, publishGood, requireAllGood } from "../../lib/broker/checked_batch.ts";
import { ATOMIC_MESSAGES } from "../../lib/broker/committer.ts";
import type { PreparedMessage } from "../../lib/broker/publish_input.ts";
import type { PublishOutcome } from "../../lib/broker/publisher.ts";
import { RunnelError } from "../../lib/errors.ts";

function message(topic: string, options: Partial<PreparedMessage> = {}): PreparedMessage {
  return { topic, body: '{"data":null}', options: "", ephemeral: false, ...options };
}

/** A target that gives out ids, and tells what it was given. */
function target() {
  const calls: { topics: string[]; atomic: boolean | undefined }[] = [];
  const publish = (
    messages: readonly PreparedMessage[],
    { atomic }: { atomic?: boolean },
  ): Promise<readonly PublishOutcome[]> => {
    calls.push({ topics: messages.map(({ topic }) => topic), atomic });
    return Promise.resolve(messages.map((_, i) => ({ id: `1-${i}`, duplicate: false })));
  };
  return { calls, publish };
}

function refusalOf(batch: readonly Checked[]): RunnelError {
  try {
    requireAllGood(batch);
  } catch (error) {
    assert(error instanceof RunnelError);
    return error;
  }
  assert.fail("It was not refused");
}

Deno.test("publishGood() publishes the good messages together and puts their outcomes where they stood", async () => {
  const bad = new RunnelError("forbidden");
  const { calls, publish } = target();
  const outcomes = await publishGood({ publish }, [message("a"), bad, message("b"), bad]);
  assert.deepEqual(outcomes, [
    { id: "1-0", duplicate: false },
    bad,
    { id: "1-1", duplicate: false },
    bad,
  ]);
  assert.deepEqual(calls, [{ topics: ["a", "b"], atomic: undefined }]);
});

Deno.test("publishGood() asks nobody where no message is good", async () => {
  const bad = new RunnelError("forbidden");
  const { calls, publish } = target();
  assert.deepEqual(await publishGood({ publish }, [bad], { atomic: true }), [bad]);
  assert.deepEqual(calls, []);
});

Deno.test("requireAllGood() says of each bad message where in the batch its fault is", () => {
  const errors = [{ pointer: "#/topic", detail: "Must be a string" }];
  const refusal = refusalOf([
    message("a"),
    new RunnelError("invalid_request", "The message is not valid", { errors }),
    new RunnelError("payload_too_large", "Too large"),
    message("b", { ephemeral: true }),
  ]);
  assert.equal(refusal.code, "invalid_request");
  assert.deepEqual(refusal.errors, [
    { pointer: "#/messages/1/topic", detail: "Must be a string" },
    { pointer: "#/messages/2", detail: "Too large" },
    { pointer: "#/messages/3/durability", detail: "An atomic batch is stored" },
  ]);
});

Deno.test("requireAllGood() refuses what is not allowed as that, with its note for the log", () => {
  const audit = { topic: "b" };
  const invalid = new RunnelError("payload_too_large", "Too large");
  const refusal = refusalOf([invalid, new RunnelError("forbidden", "Not there", { audit })]);
  assert.equal(refusal.code, "forbidden");
  assert.deepEqual(refusal.audit, audit);
  assert.deepEqual(refusal.errors, [{ pointer: "#/messages/1", detail: "Not there" }]);
});

Deno.test("requireAllGood() takes as many messages as one call stores, and no more", () => {
  const full = Array.from({ length: ATOMIC_MESSAGES }, () => message("a"));
  requireAllGood(full);
  assert.equal(refusalOf([...full, message("a")]).code, "invalid_request");
});
