import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, send } from "../_support/http.ts";

// fetch sets Host itself, so the handler is called without a port here.
function at(url: string, headers: Record<string, string> = {}): Request {
  return new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ topic: "t", data: 1 }),
  });
}

Deno.test("without RUNNEL_AUTH everything but health is refused", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_AUTH: "" } });
  assertProblem(await publish(fixture.url, { topic: "t", data: 1 }), {
    status: 503,
    code: "auth_not_configured",
  });
  for (const path of ["/subscribe?topic=t", "/topics", "/topics/t", "/topics/t/messages"]) {
    const answer = await send(`${fixture.url}${path}`);
    assertProblem(answer, { status: 503, code: "auth_not_configured" });
  }
});

Deno.test("open mode off loopback needs RUNNEL_ALLOW_OPEN", async () => {
  await using refused = await startRunnel({ loopback: false });
  const answer = await publish(refused.url, { topic: "t", data: 1 });
  const { detail } = assertProblem(answer, { status: 503, code: "auth_not_configured" });
  assert.match(String(detail), /RUNNEL_ALLOW_OPEN/);
  await using allowed = await startRunnel({ loopback: false, env: { RUNNEL_ALLOW_OPEN: "1" } });
  assert.equal((await publish(allowed.url, { topic: "t", data: 1 })).status, 200);
});

Deno.test("open mode on loopback refuses foreign hosts and origins", async (t) => {
  await using fixture = await startRunnel();
  const { fetch } = fixture.runnel;
  const cases: [string, Request, number, string | undefined][] = [
    ["no origin", at("http://localhost:8000/publish"), 200, undefined],
    [
      "its own page",
      at("http://localhost/publish", { origin: "http://localhost:3000" }),
      200,
      undefined,
    ],
    [
      "a loopback address",
      at("http://127.0.0.1/publish", { origin: "http://[::1]:1" }),
      200,
      undefined,
    ],
    [
      "a website",
      at("http://localhost/publish", { origin: "https://evil.example" }),
      403,
      "origin_not_allowed",
    ],
    [
      "no page's origin",
      at("http://localhost/publish", { origin: "null" }),
      403,
      "origin_not_allowed",
    ],
    [
      "a name like it",
      at("http://localhost/publish", { origin: "http://localhost.evil.example" }),
      403,
      "origin_not_allowed",
    ],
    ["a rebound name", at("http://evil.example/publish"), 403, "host_not_allowed"],
    ["a rebound address", at("http://127.0.0.1.evil.example/publish"), 403, "host_not_allowed"],
  ];
  for (const [name, request, status, code] of cases) {
    await t.step(name, async () => {
      const response = await fetch(request);
      const body = await response.json();
      assert.deepEqual([response.status, body.code], [status, code]);
    });
  }
});

Deno.test("a foreign website cannot even open a stream in open mode", async () => {
  await using fixture = await startRunnel();
  const answer = await send(`${fixture.url}/subscribe?topic=t`, {
    headers: { origin: "https://evil.example" },
  });
  assertProblem(answer, { status: 403, code: "origin_not_allowed" });
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
});

Deno.test("RUNNEL_CORS_ORIGINS lets pages of other origins in, with preflight", async () => {
  await using fixture = await startRunnel({
    env: { RUNNEL_CORS_ORIGINS: "https://app.example" },
  });
  const origin = "https://app.example";
  const preflight = await fetch(`${fixture.url}/publish`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,idempotency-key",
    },
  });
  await preflight.body?.cancel();
  assert.ok(preflight.ok);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /POST/);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /idempotency-key/i);
  const answer = await publish(fixture.url, { topic: "t", data: 1 }, { headers: { origin } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  const other = await publish(fixture.url, { topic: "t", data: 1 }, {
    headers: { origin: "https://other.example" },
  });
  assertProblem(other, { status: 403, code: "origin_not_allowed" });
});
