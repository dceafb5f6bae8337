import assert from "node:assert/strict";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { send } from "../_support/http.ts";
import { ndjsonLines, readNdjson } from "../_support/ndjson.ts";
import { openStream, type SseEvent } from "../_support/sse.ts";
import { sleep } from "../_support/until.ts";

/** What the last of some events says. */
function dataOf(events: readonly SseEvent[]): Record<string, unknown> & { in: number } {
  return JSON.parse(events.at(-1)?.data ?? "{}");
}

Deno.test("a stream ends no later than its token, is told before, and goes on without a gap under a new one", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const { url } = runnel;
  const all = bearer(await token(ALL));
  const publish = (data: number) =>
    send(`${url}/publish`, { json: { topic: "a", data }, headers: all });
  const endsAt = Date.now() + 3_000;
  const headers = bearer(await token({ subscribe: ["a"] }, { claims: { exp: endsAt / 1000 } }));
  await using stream = await openStream(`${url}/subscribe/a`, { headers });
  await stream.until("$ready");
  await publish(1);
  const { in: left } = dataOf(await stream.until("$auth-expiring"));
  assert.ok(left > 0 && left <= 1_600, `${left}`);
  // the next is open before the first ends, from where that stands
  const next = bearer(await token({ subscribe: ["a"] }));
  await publish(2);
  const bye = await stream.until("$bye");
  assert.equal(dataOf(bye).reason, "auth_expired");
  assert.ok(Date.now() >= endsAt - 20, "it ended early");
  const cursor = stream.lastEventId;
  await publish(3);
  await using again = await openStream(`${url}/subscribe/a?lastEventId=${cursor}`, {
    headers: next,
  });
  const before = stream.blocks.filter(({ event, data }) => event === "message" && data)
    .map(({ data = "" }) => JSON.parse(data).data);
  const rest = (await again.messages(3 - before.length)).map(({ data }) => data);
  assert.deepEqual([...before, ...rest], [1, 2, 3]);
});

Deno.test("a group's stream and an NDJSON stream end with their token too", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const headers = bearer(await token(ALL, { claims: { exp: Date.now() / 1000 + 1 } }));
  await using group = await openStream(`${runnel.url}/subscribe?topic=a&group=g`, { headers });
  const response = await fetch(`${runnel.url}/subscribe/a`, {
    headers: { ...headers, accept: "application/x-ndjson" },
  });
  const lines = await readNdjson(response);
  assert.deepEqual(lines.at(-1)?.reason, "auth_expired");
  assert.ok(lines.some(({ event }) => event === "$auth-expiring"));
  assert.equal(dataOf(await group.until("$bye")).reason, "auth_expired");
});

Deno.test("a stream whose token ends in a hundred years is not ended by it", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const headers = bearer(await token(ALL, { endsIn: 3_000_000_000 }));
  await using stream = await openStream(`${runnel.url}/subscribe/a`, { headers });
  await stream.until("$ready");
  await send(`${runnel.url}/publish`, { json: { topic: "a", data: 1 }, headers });
  assert.equal((await stream.messages(1))[0]?.data, 1);
});

Deno.test("a pull waits no longer than its token lasts", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const headers = bearer(await token(ALL, { claims: { exp: Date.now() / 1000 + 1 } }));
  const json = { topic: "a", group: "g", waitMs: 60_000 };
  const answer = await send(`${runnel.url}/pull`, { json, headers });
  assert.deepEqual([answer.status, answer.body.messages], [200, []]);
});

Deno.test("an upload that goes on when its token has ended stores no more, line by line", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  // taken though it has ended, since clocks may be off; two seconds later it is not
  const headers = {
    ...bearer(await token(ALL, { claims: { exp: Date.now() / 1000 - 3 } })),
    "content-type": "application/x-ndjson",
  };
  const upload = new TransformStream<Uint8Array, Uint8Array>();
  const writer = upload.writable.getWriter();
  const line = new TextEncoder().encode('{"topic":"a","data":1}\n');
  writer.write(line);
  const response = await fetch(`${runnel.url}/batch`, {
    method: "POST",
    headers,
    body: upload.readable,
  });
  let accepted = 0, code: unknown;
  for await (const { id, error } of ndjsonLines(response)) {
    if (typeof id === "string") {
      accepted++;
      await sleep(100);
      await writer.write(line);
    } else if (error !== undefined) {
      code = (error as { code: string }).code;
      break;
    }
  }
  await writer.close().catch(() => {});
  assert.equal(code, "invalid_token");
  assert.ok(accepted > 0);
});
