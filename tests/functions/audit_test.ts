import assert from "node:assert/strict";
import { auditOf } from "../_support/audit_log.ts";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { send } from "../_support/http.ts";

const headers = async (grants = ALL) => ({
  ...bearer(await token(grants, { sub: "ann" })),
  "x-request-id": "r-1",
});

Deno.test("each refusal is one line with who, what, why and the request's id", async (t) => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const { url, runnel: { logs } } = runnel;
  const base = { audit: "refusal", requestId: "r-1" };
  const cases: [string, () => Promise<unknown>, Record<string, unknown>][] = [
    [
      "no credential",
      () => send(`${url}/publish`, { json: { topic: "a" }, headers: { "x-request-id": "r-1" } }),
      { ...base, method: "POST", path: "/publish", code: "unauthenticated" },
    ],
    [
      "a bad one",
      () => send(`${url}/topics?ticket=x`, { headers: { "x-request-id": "r-1" } }),
      { ...base, method: "GET", path: "/topics", code: "invalid_token" },
    ],
    [
      "a missing grant",
      async () =>
        send(`${url}/publish`, {
          json: { topic: "secret.plans", data: 1 },
          headers: await headers({ publish: ["a"] }),
        }),
      {
        ...{ ...base, method: "POST", path: "/publish", identity: "jwt:ann", code: "forbidden" },
        ...{ action: "publish", topic: "secret.plans" },
      },
    ],
    [
      "messages of a batch, together",
      async () =>
        send(`${url}/batch`, {
          json: [{ topic: "b", data: 1 }, { topic: "c", data: 1 }],
          headers: await headers({ publish: ["a"] }),
        }),
      {
        ...{ ...base, method: "POST", path: "/batch", identity: "jwt:ann", code: "forbidden" },
        ...{ action: "publish", topic: "b" },
      },
    ],
    [
      "an atomic batch, for the message that must not be published",
      async () => {
        const { status, body } = await send(`${url}/batch`, {
          json: { atomic: true, messages: [{ topic: "a", data: 1 }, { topic: "c", data: 1 }] },
          headers: await headers({ publish: ["a"] }),
        });
        assert.deepEqual([status, body.code], [403, "forbidden"]);
        assert.match(JSON.stringify(body.errors), /"#\/messages\/1"/);
      },
      {
        ...{ ...base, method: "POST", path: "/batch", identity: "jwt:ann", code: "forbidden" },
        ...{ action: "publish", topic: "c" },
      },
    ],
    [
      "a foreign page",
      async () =>
        send(`${url}/topics`, {
          headers: { ...await headers(), origin: "https://evil.example" },
        }),
      { ...base, method: "GET", path: "/topics", code: "origin_not_allowed" },
    ],
    [
      "a body that is too large",
      async () =>
        send(`${url}/publish/a`, {
          method: "POST",
          body: "x".repeat(2_000_000),
          headers: await headers(),
        }),
      {
        ...{ ...base, method: "POST", path: "/publish/a" },
        ...{ identity: "jwt:ann", code: "payload_too_large" },
      },
    ],
  ];
  for (const [what, call, expected] of cases) {
    await t.step(what, async () => {
      const before = auditOf(logs).length;
      await call();
      const [line, ...others] = auditOf(logs).slice(before);
      assert.deepEqual(others, []);
      const { reason, ...fields } = line ?? { reason: undefined };
      assert.equal(typeof reason, "string");
      assert.deepEqual(fields, expected);
    });
  }
});

Deno.test("each management action is one line that names who did it, to what", async (t) => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const { url, runnel: { logs } } = runnel;
  const manager = await headers({ manage: true });
  const cases: [string, string, unknown, number, Record<string, unknown>][] = [
    ["PUT", "/topics/a", { maxMessages: 5 }, 200, { topic: "a" }],
    ["PUT", "/topics/a/groups/g", { maxDeliveries: 5 }, 200, { topic: "a", group: "g" }],
    ["POST", "/topics/a/redrive", {}, 200, { topic: "a" }],
    ["DELETE", "/topics/a/groups/g", undefined, 204, { topic: "a", group: "g" }],
    ["DELETE", "/topics/a", undefined, 204, { topic: "a" }],
  ];
  for (const [method, path, json, status, target] of cases) {
    await t.step(`${method} ${path}`, async () => {
      const before = auditOf(logs).length;
      const options = { method, headers: manager, ...(json === undefined ? {} : { json }) };
      const answer = await send(url + path, options);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.deepEqual(auditOf(logs).slice(before), [{
        ...{ audit: "management", requestId: "r-1", method, path, identity: "jwt:ann" },
        ...{ status, ...target },
      }]);
    });
  }
});

Deno.test("what was let in and is no management leaves no line", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  await send(`${runnel.url}/publish`, { json: { topic: "a", data: 1 }, headers: await headers() });
  await send(`${runnel.url}/topics`, { headers: await headers() });
  assert.deepEqual(auditOf(runnel.runnel.logs), []);
});

Deno.test("a management action that failed has a line too, since it may have been done", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV, redis: { appendonly: false } });
  await send(`${runnel.url}/topics`, { headers: await headers() });
  await runnel.redis.kill9();
  const answer = await send(`${runnel.url}/topics/a`, {
    method: "DELETE",
    headers: await headers({ manage: true }),
  });
  assert.equal(answer.status, 503);
  const [line] = auditOf(runnel.runnel.logs);
  assert.deepEqual([line?.audit, line?.status, line?.topic], ["management", 503, "a"]);
});
