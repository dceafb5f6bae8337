import assert from "node:assert/strict";
import { createClient, RunnelError } from "../../lib/client/mod.ts";
import { startRunnel } from "../_support/fixture.ts";

Deno.test("publish() stores a message", async () => {
  await using runnel = await startRunnel();
  const client = createClient(runnel);
  const { id, topic, duplicate } = await client.publish("a", { n: 1 }, { key: "k", type: "t" });
  assert.match(`${id}`, /^\d+-\d+$/);
  assert.deepEqual({ topic, duplicate }, { topic: "a", duplicate: false });
  const { messages } = await client.call(["topics", "a", "messages"]) as { messages: unknown[] };
  assert.equal(messages.length, 1);
});

Deno.test("publish() sends what is called in one turn together, in order, each with an outcome of its own", async () => {
  await using runnel = await startRunnel();
  const paths: string[] = [];
  const client = createClient({
    url: runnel.url,
    fetch: (input, init) => {
      paths.push(new URL(`${input}`).pathname);
      return fetch(input, init);
    },
  });
  const outcomes = await Promise.allSettled(
    ["a", "no good", "a"].map((topic, i) => client.publish(topic, i)),
  );
  assert.deepEqual(paths, ["/batch"]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  const refused = outcomes[1];
  assert.ok(refused?.status === "rejected" && refused.reason instanceof RunnelError);
  assert.equal(refused.reason.status, 400);
  const { messages } = await client.call("topics/a/messages") as { messages: { data: unknown }[] };
  assert.deepEqual(messages.map(({ data }) => data), [0, 2]);
});
