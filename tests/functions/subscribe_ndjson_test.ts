import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { ndjsonLines, readNdjson } from "../_support/ndjson.ts";

const ACCEPT = { accept: "application/x-ndjson" };

Deno.test("GET /subscribe as NDJSON gives messages and system events as lines", async () => {
  await using fixture = await startRunnel();
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    ids.push(await publishId(fixture.url, { topic: "t", data: `line\n${n}`, type: "x" }));
  }
  const response = await fetch(`${fixture.url}/subscribe?topic=t&since=earliest&wait=0`, {
    headers: ACCEPT,
  });
  assert.match(response.headers.get("content-type") ?? "", /^application\/x-ndjson/);
  const [ready, ...rest] = await readNdjson(response);
  const bye = rest.pop();
  assert.deepEqual([ready?.event, typeof ready?.subscription, typeof ready?.cursor], [
    "$ready",
    "string",
    "string",
  ]);
  assert.deepEqual(rest.map(({ id }) => id), ids);
  assert.deepEqual(rest.map(({ data }) => data), ["line\n0", "line\n1", "line\n2"]);
  assert.deepEqual(rest.map(({ topic, type }) => [topic, type]), Array(3).fill(["t", "x"]));
  assert.equal(bye?.event, "$bye");
});

Deno.test("GET /subscribe as NDJSON stays open for what comes", async () => {
  await using fixture = await startRunnel();
  const response = await fetch(`${fixture.url}/subscribe/t`, { headers: ACCEPT });
  const lines = ndjsonLines(response);
  assert.equal((await lines.next()).value?.event, "$ready");
  const id = await publishId(fixture.url, { topic: "t", data: 1 });
  assert.equal((await lines.next()).value?.id, id);
  await lines.return(undefined);
});

Deno.test("GET /subscribe as NDJSON tells of a gap", async () => {
  await using fixture = await startRunnel();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(await publishId(fixture.url, { topic: "t", data: n }));
  await send(`${fixture.url}/topics/t`, { method: "PUT", json: { maxMessages: 1 } });
  await publishId(fixture.url, { topic: "t", data: 5 });
  const response = await fetch(`${fixture.url}/subscribe?topic=t&wait=0&since=${ids[0]}`, {
    headers: ACCEPT,
  });
  const lines = await readNdjson(response);
  const gap = lines.find(({ event }) => event === "$gap");
  assert.equal(gap?.topic, "t");
  assert.equal(gap?.after, ids[0]);
});
