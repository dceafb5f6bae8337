import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { decodeParams, Router } from "../../lib/http/router.ts";

const ROUTES = [
  "POST publish",
  "POST publish/:topic",
  "GET topics",
  "GET topics/:topic",
  "PUT topics/:topic",
  "GET topics/:topic/messages",
  "GET topics/all",
].map((text) => {
  const [method = "", path = ""] = text.split(" ");
  return { method, path };
});
const router = new Router(ROUTES);

/** The path of the route that a path leads to. */
function routeOf(path: string): string | undefined {
  return [...router.match(path)?.methods.values() ?? []][0]?.path;
}

Deno.test("Router finds a route by the last segments, whatever comes before", () => {
  for (const prefix of ["", "/functions/v1", "/a/b/c", "/publish", "/%2f"]) {
    assert.equal(routeOf(`${prefix}/topics/t/messages`), "topics/:topic/messages");
    assert.equal(routeOf(`${prefix}/publish/t`), "publish/:topic");
  }
  assert.equal(routeOf("/functions/v1/publish"), "publish");
});

Deno.test("Router prefers the longest path, then the more literal one", () => {
  assert.equal(routeOf("/publish/topics"), "publish/:topic");
  assert.equal(routeOf("/topics/publish"), "topics/:topic");
  assert.equal(routeOf("/topics/all"), "topics/all");
  assert.equal(routeOf("/topics/x/messages"), "topics/:topic/messages");
});

Deno.test("Router tolerates one slash at the end", () => {
  assert.equal(routeOf("/publish/"), "publish");
  assert.equal(routeOf("/topics/t/"), "topics/:topic");
  assert.equal(routeOf("/publish//"), undefined);
});

Deno.test("Router finds nothing for paths that are not known", () => {
  for (const path of ["/", "", "/nope", "/publishx", "/Publish", "//", "/topics/t/nope/x"]) {
    assert.equal(routeOf(path), undefined, path);
  }
});

Deno.test("Router finds a path again, whatever came before it and however many others were asked for", () => {
  for (let i = 0; i < 1_000; i++) assert.equal(routeOf(`/tenant-${i}/publish`), "publish");
  for (const path of ["/tenant-7/publish", "/tenant-999/publish"]) {
    assert.equal(router.match(path)?.prefix, path.replace("publish", ""));
  }
  for (const topic of ["a", "b", "a"]) {
    assert.deepEqual(router.match(`/topics/${topic}`)?.encoded, { topic });
  }
});

Deno.test("Router gives the segments for the names, and the methods that the path has", () => {
  const match = router.match("/v1/topics/a%2Fb");
  assert.deepEqual(match?.encoded, { topic: "a%2Fb" });
  assert.deepEqual(match?.allow, ["OPTIONS", "GET", "HEAD", "PUT"]);
});

Deno.test("Router refuses two routes with the same method and path", () => {
  assert.throws(() => new Router([...ROUTES, { method: "GET", path: "topics" }]), TypeError);
});

Deno.test("decodeParams() decodes each segment once, as UTF-8", () => {
  assert.deepEqual(decodeParams({ a: "x%2Fy", b: "%C3%A9", c: "%2541", d: "a+b", e: "é" }), {
    a: "x/y",
    b: "é",
    c: "%41",
    d: "a+b",
    e: "é",
  });
});

Deno.test("decodeParams() refuses what is not percent-encoded UTF-8, and points at it", () => {
  for (const segment of ["%", "%zz", "%ff", "%C3", "%ED%A0%80"]) {
    assert.throws(() => decodeParams({ topic: segment }), (error: unknown) => {
      assert(error instanceof RunnelError && error.code === "invalid_request");
      assert.equal(error.errors[0]?.pointer, "/{topic}");
      return true;
    });
  }
});
