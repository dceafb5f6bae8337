import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import type { RequestContext } from "../../lib/http/context.ts";
import { Gate } from "../../lib/http/gate.ts";
import { createHandler, type HttpOptions, type Route } from "../../lib/http/handler.ts";
import { jsonResponse } from "../../lib/http/json_response.ts";
import { createLogger } from "../../lib/log.ts";

const OPEN = new Gate({ mode: "open", allowOpen: false, loopback: true });

/** A handler of one echoing route and those given, with its log lines. */
function setUp(routes: readonly Route[] = [], changes: Partial<HttpOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({ level: "debug", write: (line) => lines.push(line) });
  const options: HttpOptions = {
    log,
    gate: OPEN,
    corsOrigins: ["https://app.example"],
    ...changes,
  };
  const fetch = createHandler([echo("POST", "echo/:topic"), ...routes], () => options);
  return { fetch, lines };
}

function echo(method: string, path: string): Route {
  return {
    method,
    path,
    handle: ({ params, search, url }) => jsonResponse({ params, search, path: url.pathname }),
  };
}

function route(
  path: string,
  handle: (context: RequestContext) => Response | Promise<Response>,
): Route {
  return { method: "GET", path, handle };
}

function request(path: string, init: RequestInit & { host?: string } = {}): Request {
  const { host = "localhost:8000", ...rest } = init;
  return new Request(`http://${host}${path}`, rest);
}

/** Sends a request that must fail, and gives its problem document. */
async function problem(fetch: (request: Request) => Promise<Response>, wanted: Request) {
  const response = await fetch(wanted);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.status, response.status);
  assert.equal(body.requestId, response.headers.get("x-request-id"));
  return { response, ...body };
}

Deno.test("createHandler() hands a route its decoded params, query and URL", async () => {
  const { fetch } = setUp();
  const response = await fetch(request("/functions/v1/echo/a%2F%C3%A9/?x=1#y", { method: "POST" }));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    params: { topic: "a/é" },
    search: "?x=1",
    path: "/functions/v1/echo/a%2F%C3%A9/",
  });
});

Deno.test("createHandler() gives every answer a request id and nosniff, and answers to GET no-store", async () => {
  const { fetch } = setUp([route("ok", () => jsonResponse({}))]);
  const post = request("/echo/a", { method: "POST" });
  for (const wanted of [request("/ok"), request("/nope"), request("/echo/a"), post]) {
    const { headers, body } = await fetch(wanted);
    await body?.cancel();
    assert.match(headers.get("x-request-id") ?? "", /^[\w.-]+$/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("cache-control"), wanted === post ? null : "no-store");
  }
});

Deno.test("createHandler() keeps a caller's valid request id and a route's own cache-control", async () => {
  const { fetch } = setUp([
    route("cached", () => new Response("x", { headers: { "cache-control": "max-age=5" } })),
  ]);
  const response = await fetch(request("/cached", { headers: { "x-request-id": "mine-1" } }));
  await response.body?.cancel();
  assert.equal(response.headers.get("x-request-id"), "mine-1");
  assert.equal(response.headers.get("cache-control"), "max-age=5");
});

Deno.test("createHandler() logs what a route logs with the request's id", async () => {
  const { fetch, lines } = setUp([
    route("log", ({ log }) => {
      log.info("hello");
      return new Response(null);
    }),
  ]);
  await fetch(request("/log", { headers: { "x-request-id": "mine-1" } }));
  assert.equal(JSON.parse(lines[0] ?? "").requestId, "mine-1");
});

Deno.test("createHandler() answers unknown paths with 404", async () => {
  const { fetch } = setUp();
  assert.equal((await problem(fetch, request("/nope"))).code, "not_found");
  assert.equal((await problem(fetch, request("/"))).status, 404);
});

Deno.test("createHandler() answers another method with 405 and Allow", async () => {
  const { fetch } = setUp([route("both", () => new Response(null)), echo("PUT", "both")]);
  for (const method of ["DELETE", "PATCH", "POST", "REPORT"]) {
    const { response, code } = await problem(fetch, request("/both", { method }));
    assert.equal(code, "method_not_allowed");
    assert.equal(response.headers.get("allow"), "OPTIONS, GET, HEAD, PUT");
  }
  const head = await fetch(request("/echo/a", { method: "HEAD" }));
  assert.deepEqual([head.status, head.body], [405, null]);
});

Deno.test("createHandler() answers a malformed path with 400 that points at the name", async () => {
  const { fetch } = setUp();
  const { code, errors } = await problem(fetch, request("/echo/%ff", { method: "POST" }));
  assert.equal(code, "invalid_request");
  assert.deepEqual(errors, [{ pointer: "/{topic}", detail: "Must be percent-encoded UTF-8" }]);
});

Deno.test("createHandler() answers a RunnelError with its problem document", async () => {
  const { fetch, lines } = setUp([
    route(
      "fail",
      () => Promise.reject(new RunnelError("redis_unavailable", "No Redis", { cause: "x" })),
    ),
  ]);
  const { response, code, retryable, detail } = await problem(fetch, request("/fail"));
  assert.deepEqual({ code, retryable, detail }, {
    code: "redis_unavailable",
    retryable: true,
    detail: "No Redis",
  });
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal(JSON.parse(lines[0] ?? "").level, "debug");
});

Deno.test("createHandler() answers unknown errors with an opaque 500 and logs them with their stack", async () => {
  const thrown: unknown[] = [new Error("secret detail"), "secret detail", undefined, { secret: 1 }];
  for (const error of thrown) {
    const { fetch, lines } = setUp([route("fail", () => Promise.reject(error))]);
    const body = await (await fetch(request("/fail"))).text();
    assert.equal(JSON.parse(body).code, "internal");
    assert.doesNotMatch(body, /secret/);
    assert.equal(JSON.parse(lines[0] ?? "").level, "error");
  }
  const { fetch, lines } = setUp([
    route("fail", () => {
      throw new Error("thrown at once");
    }),
  ]);
  assert.equal((await problem(fetch, request("/fail"))).status, 500);
  assert.match(JSON.parse(lines[0] ?? "").error.stack, /handler_test/);
});

Deno.test("createHandler() does not count a client that went away as an error of its own", async () => {
  const { fetch, lines } = setUp([route("gone", ({ signal }) => Promise.reject(signal.reason))]);
  const wanted = request("/gone", { signal: AbortSignal.abort() });
  assert.equal((await problem(fetch, wanted)).code, "client_closed");
  assert.deepEqual(lines, []);
});

Deno.test("createHandler() answers HEAD as GET without a body, which it cancels", async () => {
  let cancelled = false;
  const { fetch } = setUp([
    route(
      "stream",
      () =>
        new Response(new ReadableStream({ cancel: () => void (cancelled = true) }), {
          status: 203,
          headers: { "x-own": "1" },
        }),
    ),
  ]);
  const response = await fetch(request("/stream", { method: "HEAD" }));
  assert.equal(response.status, 203);
  assert.equal(response.headers.get("x-own"), "1");
  assert.equal(response.body, null);
  assert(cancelled);
});

Deno.test("createHandler() adds its headers to a response that cannot be changed", async () => {
  const { fetch } = setUp([route("away", () => Response.redirect("http://localhost/x", 307))]);
  const response = await fetch(request("/away"));
  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), "http://localhost/x");
  assert(response.headers.has("x-request-id"));
});

Deno.test("createHandler() refuses foreign Hosts and Origins on loopback before the route runs", async () => {
  let ran = false;
  const { fetch } = setUp([
    route("secret", () => {
      ran = true;
      return new Response("x");
    }),
  ]);
  const send = (init: { host?: string; headers?: Record<string, string> }) =>
    problem(fetch, request("/secret", init));
  assert.equal(
    (await send({ headers: { origin: "https://evil.example" } })).code,
    "origin_not_allowed",
  );
  assert.equal((await send({ headers: { origin: "null" } })).code, "origin_not_allowed");
  assert.equal((await send({ host: "evil.example" })).code, "host_not_allowed");
  assert.equal(ran, false);
});

Deno.test("createHandler() shows a foreign page nothing, not even that it was refused", async () => {
  const { fetch } = setUp();
  const headers = { origin: "https://evil.example" };
  const { response } = await problem(fetch, request("/echo/a", { method: "POST", headers }));
  assert.equal(response.headers.get("access-control-allow-origin"), null);
  const rebound = { host: "evil.example", headers: { origin: "http://evil.example" } };
  const own = await problem(fetch, request("/echo/a", { method: "POST", ...rebound }));
  assert.equal(own.code, "host_not_allowed");
  assert.equal(own.response.headers.get("access-control-allow-origin"), null);
});

Deno.test("createHandler() lets an allowed page read answers and problems", async () => {
  const { fetch } = setUp();
  const headers = { origin: "https://app.example" };
  for (const path of ["/echo/a", "/nope"]) {
    const response = await fetch(request(path, { method: "POST", headers }));
    await response.body?.cancel();
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
    assert.match(response.headers.get("vary") ?? "", /origin/);
    assert.match(response.headers.get("access-control-expose-headers") ?? "", /x-request-id/);
  }
});

Deno.test("createHandler() answers a preflight with the path's methods and the headers asked for", async () => {
  const { fetch } = setUp();
  const headers = {
    origin: "http://localhost:3000",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, idempotency-key",
  };
  const response = await fetch(request("/echo/a", { method: "OPTIONS", headers }));
  assert.equal(response.status, 204);
  assert.equal(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
  assert.equal(response.headers.get("access-control-allow-methods"), "OPTIONS, POST");
  assert.equal(
    response.headers.get("access-control-allow-headers"),
    "content-type, idempotency-key",
  );
  assert.equal(response.headers.get("access-control-allow-credentials"), null);
});

Deno.test("createHandler() refuses the preflight of a foreign page, and says Allow without one", async () => {
  const { fetch } = setUp();
  const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
  assert.equal(
    (await problem(fetch, request("/echo/a", { method: "OPTIONS", headers }))).status,
    403,
  );
  const plain = await fetch(request("/echo/a", { method: "OPTIONS" }));
  assert.equal(plain.headers.get("allow"), "OPTIONS, POST");
  assert.equal(plain.headers.get("access-control-allow-methods"), null);
});

Deno.test("createHandler() answers 503 auth_not_configured, but for routes that need none", async () => {
  const open: Route = { ...route("health", () => new Response("ok")), auth: false };
  const gate = new Gate({ mode: "none", allowOpen: false, loopback: true });
  const { fetch } = setUp([open], { gate });
  assert.equal(
    (await problem(fetch, request("/echo/a", { method: "POST" }))).code,
    "auth_not_configured",
  );
  const headers = { origin: "https://evil.example" };
  const health = await fetch(request("/health", { host: "10.0.0.1", headers }));
  assert.equal(await health.text(), "ok");
});

Deno.test("createHandler() lets a public open server answer any Host", async () => {
  const gate = new Gate({ mode: "open", allowOpen: true, loopback: false });
  const { fetch } = setUp([], { gate });
  const init = { host: "runnel.example", headers: { origin: "https://runnel.example" } };
  const response = await fetch(request("/echo/a", { method: "POST", ...init }));
  await response.body?.cancel();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("access-control-allow-origin"), "https://runnel.example");
});

class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems = [{ variable: "PORT", detail: "Must be a number" }];
}

Deno.test("createHandler() answers a wrong configuration with an opaque 503 and logs it once", async () => {
  const sources = [
    () => Promise.reject(new ConfigError("PORT: Must be a number")),
    () => {
      throw new ConfigError("PORT: Must be a number");
    },
  ];
  for (const source of sources) {
    const lines: string[] = [];
    const log = createLogger({ write: (line) => lines.push(line) });
    const fetch = createHandler([echo("POST", "echo")], source, { log });
    for (let i = 0; i < 3; i++) {
      const { status, code, detail } = await problem(fetch, request("/echo", { method: "POST" }));
      assert.deepEqual({ status, code }, { status: 503, code: "not_configured" });
      assert.doesNotMatch(detail, /PORT/);
    }
    assert.equal(lines.length, 1);
    assert.deepEqual(JSON.parse(lines[0] ?? "").problems, [
      { variable: "PORT", detail: "Must be a number" },
    ]);
  }
});

Deno.test("createHandler() answers when its options fail in another way, and recovers with them", async () => {
  const lines: string[] = [];
  const log = createLogger({ level: "silent" });
  let broken = true;
  const options = { log, gate: OPEN, corsOrigins: [] };
  const fetch = createHandler([echo("POST", "echo")], () => {
    if (broken) throw new Error("secret");
    return Promise.resolve(options);
  }, { log: createLogger({ write: (line) => lines.push(line) }) });
  assert.equal((await problem(fetch, request("/echo", { method: "POST" }))).code, "internal");
  assert.match(lines[0] ?? "", /secret/);
  broken = false;
  const response = await fetch(request("/echo", { method: "POST" }));
  await response.body?.cancel();
  assert.equal(response.status, 200);
});
