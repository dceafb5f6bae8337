import assert from "node:assert/strict";
import { messagesOf, requestsOf } from "./bodies.ts";

const bodies = [JSON.stringify({ topic: "bench", data: { mark: "^" } })];

Deno.test("messagesOf() gives each topic its own message", () => {
  const topics = messagesOf({ bodies, topics: 3 }).map(({ topic }) => topic);
  assert.deepEqual(topics, ["bench.0", "bench.1", "bench.2"]);
  assert.deepEqual(messagesOf({ bodies }), [{ topic: "bench", data: { mark: "^" } }]);
});

Deno.test("messagesOf() fills data up to so many bytes of JSON, and refuses fewer than there are", () => {
  for (const dataBytes of [100, 1_000_000]) {
    const [message] = messagesOf({ bodies, dataBytes });
    assert.equal(JSON.stringify(message?.data).length, dataBytes);
  }
  assert.throws(() => messagesOf({ bodies, dataBytes: 10 }), RangeError);
});

Deno.test("requestsOf() sends one message to /publish, and several to /batch", () => {
  const textOf = (batch?: number) =>
    new TextDecoder().decode(requestsOf({ bodies, ...(batch === undefined ? {} : { batch }) })[0]);
  assert.match(textOf(), /^POST \/publish [^]*\r\n\r\n\{"topic":"bench"/);
  const [, sent = ""] = textOf(2).split("\r\n\r\n");
  assert.match(textOf(2), /^POST \/batch /);
  assert.equal(JSON.parse(sent).length, 2);
});
