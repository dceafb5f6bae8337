import assert from "node:assert/strict";
import { OpenRequest } from "../../lib/broker/open_request.ts";
import { RunnelError } from "../../lib/errors.ts";

const reply = (index: number, data: unknown = index) => ({
  index,
  time: index,
  body: JSON.stringify({ data }),
});

Deno.test("OpenRequest is over when all replies have come, and gives them in order", async () => {
  const open = new OpenRequest("q", 3);
  for (const index of [3, 1, 1]) open.take(reply(index));
  assert.deepEqual(open.missing, { id: "q", indexes: [2] });
  assert.equal(open.isAnswered, false);
  open.take(reply(1, "again"));
  open.take(reply(2));
  await open.over;
  assert.ok(open.isAnswered);
  assert.deepEqual(
    open.replies,
    [1, 2, 3].map((index) => ({
      id: null,
      topic: "$inbox.q",
      time: index,
      body: `{"data":${index}}`,
    })),
  );
});

Deno.test("OpenRequest keeps what has come when it is given up, and fails with its first reason", async () => {
  const given = new OpenRequest("q", 2);
  given.take(reply(2));
  given.giveUp();
  await given.over;
  assert.equal(given.replies.length, 1);
  const failed = new OpenRequest("q", 1);
  failed.fail(new RunnelError("client_closed"));
  failed.fail(new RunnelError("shutting_down"));
  await assert.rejects(failed.over, { code: "client_closed" });
});
