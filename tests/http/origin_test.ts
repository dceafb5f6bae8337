import assert from "node:assert/strict";
import { type ErrorCode, RunnelError } from "../../lib/errors.ts";
import { checkOrigin, isLoopbackHost, type OriginPolicy, urlHost } from "../../lib/http/origin.ts";

const LOCAL: OriginPolicy = { anyHost: false, corsOrigins: ["https://app.example"] };
const PUBLIC: OriginPolicy = { anyHost: true, corsOrigins: ["https://app.example"] };

/** The error's code, undefined where the request is let through. */
function refusal(
  { host = "localhost:8000", origin = null }: { host?: string; origin?: string | null },
  policy: OriginPolicy,
): ErrorCode | undefined {
  try {
    checkOrigin({ host, origin }, policy);
  } catch (error) {
    assert(error instanceof RunnelError);
    return error.code;
  }
  return undefined;
}

Deno.test("checkOrigin() lets a loopback server answer its own names and addresses", () => {
  const hosts = [
    "localhost",
    "LOCALHOST:8000",
    "app.localhost:1",
    "127.0.0.1:8000",
    "127.9.8.7",
    "[::1]:8000",
    "[::1]",
  ];
  for (const host of hosts) assert.equal(refusal({ host }, LOCAL), undefined, host);
});

Deno.test("checkOrigin() refuses forged Hosts on a loopback server", () => {
  const hosts = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "evil@localhost",
    "localhost:80:80",
    "localhost:",
    "localhost:x",
    "notlocalhost",
    ".localhost",
    "127.0.0",
    "127.0.0.256",
    "128.0.0.1",
    "0.0.0.0",
    "[::2]",
    "[::1",
    "::1",
    "",
  ];
  for (const host of hosts) assert.equal(refusal({ host }, LOCAL), "host_not_allowed", host);
});

Deno.test("urlHost() reads host and port as they stand in the URL", () => {
  const hosts = {
    "http://a.example:81/x?y": "a.example:81",
    "http://a.example?y=/": "a.example",
    "http://a.example#/": "a.example",
    "https://[::1]:8000": "[::1]:8000",
    "http://evil@localhost/": "evil@localhost",
  };
  for (const [url, host] of Object.entries(hosts)) assert.equal(urlHost(url), host);
});

Deno.test("checkOrigin() lets pages of loopback and of listed origins use a loopback server", () => {
  const origins = [
    "http://localhost:3000",
    "https://127.0.0.1",
    "http://[::1]:5173",
    "https://app.example",
  ];
  for (const origin of origins) assert.equal(refusal({ origin }, LOCAL), undefined, origin);
});

Deno.test("checkOrigin() refuses foreign Origins, on loopback and elsewhere", () => {
  const origins = [
    "https://evil.example",
    "null",
    "",
    "http://app.example",
    "https://app.example:444",
    "https://app.example.evil",
    "https://xapp.example",
    "http://localhost.evil.example",
    "http://localhost@evil.example",
    "http://localhost/",
    "http://localhost:3000 https://evil.example",
    "chrome-extension://localhost",
    "file://",
  ];
  for (const origin of origins) {
    assert.equal(refusal({ origin }, LOCAL), "origin_not_allowed", origin);
    assert.equal(refusal({ origin, host: "runnel.example" }, PUBLIC), "origin_not_allowed", origin);
  }
});

Deno.test("checkOrigin() lets a public server answer any Host, and pages of its own origin", () => {
  assert.equal(refusal({ host: "runnel.example" }, PUBLIC), undefined);
  const own = { host: "Runnel.example:8443", origin: "https://runnel.example:8443" };
  assert.equal(refusal(own, PUBLIC), undefined);
  assert.equal(refusal({ ...own, origin: "https://runnel.example" }, PUBLIC), "origin_not_allowed");
});

Deno.test("checkOrigin() does not take a page's own Host for its Origin on loopback", () => {
  const rebinding = { host: "evil.example", origin: "http://evil.example" };
  assert.equal(refusal(rebinding, LOCAL), "host_not_allowed");
});

Deno.test("checkOrigin() lets every origin in where * is listed", () => {
  const policy = { anyHost: true, corsOrigins: ["*"] };
  assert.equal(refusal({ origin: "https://any.example" }, policy), undefined);
  assert.equal(refusal({ origin: "null" }, policy), undefined);
});

Deno.test("isLoopbackHost() knows bind addresses too", () => {
  assert(isLoopbackHost("::1") && isLoopbackHost("127.0.0.1") && isLoopbackHost("localhost"));
  assert(!isLoopbackHost("0.0.0.0") && !isLoopbackHost("::") && !isLoopbackHost("10.0.0.1"));
});
