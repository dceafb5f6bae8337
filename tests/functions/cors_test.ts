import assert from "node:assert/strict";
import { createMain } from "../../functions/main.ts";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { send } from "../_support/http.ts";

const PAGE = "https://app.example";
const env = { ...JWT_ENV, RUNNEL_CORS_ORIGINS: `${PAGE}, https://other.example` };

const PATHS: readonly [path: string, methods: string][] = [
  ["/publish", "OPTIONS, POST"],
  ["/publish/a", "OPTIONS, POST"],
  ["/batch", "OPTIONS, POST"],
  ["/subscribe", "OPTIONS, GET, HEAD"],
  ["/subscribe/a", "OPTIONS, GET, HEAD"],
  ["/pull", "OPTIONS, POST"],
  ["/ack", "OPTIONS, POST"],
  ["/request", "OPTIONS, POST"],
  ["/reply", "OPTIONS, POST"],
  ["/token", "OPTIONS, POST"],
  ["/topics", "OPTIONS, GET, HEAD"],
  ["/topics/a", "OPTIONS, GET, HEAD, PUT, DELETE"],
  ["/topics/a/messages", "OPTIONS, GET, HEAD"],
  ["/topics/a/groups/g", "OPTIONS, PUT, DELETE"],
  ["/topics/a/redrive", "OPTIONS, POST"],
  ["/scheduled/x", "OPTIONS, DELETE"],
  ["/health/ready", "OPTIONS, GET, HEAD"],
  ["/metrics", "OPTIONS, GET, HEAD"],
  ["/client.js", "OPTIONS, GET, HEAD"],
  ["/console", "OPTIONS, GET, HEAD"],
  ["/console/app.js", "OPTIONS, GET, HEAD"],
];

Deno.test("a preflight of an allowed page is answered for each function with its methods and the headers it may send", async (t) => {
  await using runnel = await startRunnel({ env });
  for (const [path, methods] of PATHS) {
    await t.step(path, async () => {
      const { status, headers } = await send(runnel.url + path, {
        method: "OPTIONS",
        headers: {
          origin: PAGE,
          "access-control-request-method": "POST",
          "access-control-request-headers":
            "authorization, content-type, Idempotency-Key, x-runnel-ttl-ms, ce-id, ce-x_y, x-evil, cookie",
        },
      });
      assert.equal(status, 204);
      assert.equal(headers.get("access-control-allow-methods"), methods);
      assert.equal(headers.get("access-control-allow-origin"), PAGE);
      assert.equal(headers.get("access-control-allow-credentials"), "true");
      assert.equal(
        headers.get("access-control-allow-headers"),
        "authorization, content-type, idempotency-key, x-runnel-ttl-ms, ce-id",
      );
      assert.match(headers.get("vary") ?? "", /origin/);
    });
  }
});

Deno.test("a page that is not listed gets no CORS header, in a preflight or else", async () => {
  await using runnel = await startRunnel({ env });
  const origins = [
    ...[
      "https://evil.example",
      "http://app.example",
      `${PAGE}:8443`,
      "null",
      `${PAGE}.evil.example`,
    ],
    ...["https://APP.example", "https://app.example/", "*", "", `${PAGE}, https://evil.example`],
  ];
  for (const origin of origins) {
    for (const method of ["OPTIONS", "GET"]) {
      const { status, headers } = await send(`${runnel.url}/topics`, {
        method,
        headers: {
          ...{ origin, ...bearer(await token(ALL)) },
          "access-control-request-method": "GET",
        },
      });
      assert.equal(status, 403, `${method} from ${origin}`);
      assert.equal(headers.get("access-control-allow-origin"), null);
      assert.equal(headers.get("access-control-allow-credentials"), null);
    }
  }
});

Deno.test("an answer of refusal can be read by an allowed page", async () => {
  await using runnel = await startRunnel({ env });
  const { status, headers } = await send(`${runnel.url}/topics`, { headers: { origin: PAGE } });
  assert.equal(status, 401);
  assert.equal(headers.get("access-control-allow-origin"), PAGE);
  const exposed = headers.get("access-control-expose-headers") ?? "";
  for (const name of ["retry-after", "ratelimit", "www-authenticate", "x-request-id"]) {
    assert.ok(exposed.split(", ").includes(name), name);
  }
});

Deno.test("* lets every page in with a header, and none with a cookie", async () => {
  await using runnel = await startRunnel({ env: { ...env, RUNNEL_CORS_ORIGINS: "*" } });
  const origin = "https://any.example";
  const text = await token(ALL);
  const withHeader = await send(`${runnel.url}/topics`, { headers: { origin, ...bearer(text) } });
  assert.equal(withHeader.status, 200);
  assert.equal(withHeader.headers.get("access-control-allow-origin"), origin);
  assert.equal(withHeader.headers.get("access-control-allow-credentials"), null);
  const withCookie = await send(`${runnel.url}/topics`, {
    headers: { origin, cookie: `runnel=${text}` },
  });
  assert.equal(withCookie.status, 403);
});

Deno.test("a server with a public name takes its own pages, and no page of its visitor's own machine", async () => {
  await using runnel = await startRunnel({ env: JWT_ENV, loopback: false });
  const { fetch } = createMain(() => Promise.resolve(runnel.runnel.app));
  const call = async (origin: string) => {
    const request = new Request("https://runnel.example/topics", {
      headers: { origin, ...bearer(await token(ALL)) },
    });
    const response = await fetch(request);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await call("https://runnel.example"), 200);
  assert.equal(await call("http://localhost:3000"), 403);
  assert.equal(await call("http://127.0.0.1"), 403);
});

Deno.test("in open mode the image, frame or link of a foreign page leases no work, though it has no Origin", async () => {
  await using runnel = await startRunnel();
  const { url } = runnel;
  const work = { topic: "jobs", group: "workers" };
  await send(`${url}/pull`, { json: work });
  await send(`${url}/publish`, { json: { topic: "jobs", data: 1 } });
  const stream = `${url}/subscribe?topic=jobs&group=workers&wait=0`;
  for (const method of ["GET", "HEAD"]) {
    const { status } = await send(stream, { method, headers: { "sec-fetch-site": "cross-site" } });
    assert.equal(status, 403);
  }
  const { body } = await send(`${url}/pull`, { json: work });
  assert.equal((body.messages as unknown[]).length, 1);
  for (const site of ["same-origin", "same-site", "none"]) {
    assert.equal(
      (await send(`${url}/topics`, { headers: { "sec-fetch-site": site } })).status,
      200,
    );
  }
});
