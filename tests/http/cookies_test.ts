import assert from "node:assert/strict";
import { cookiesOf, setSession } from "../../lib/http/cookies.ts";

Deno.test("cookiesOf() takes what is a cookie, in its order, and leaves out what is none", () => {
  const given: [header: string, expected: string[][]][] = [
    ["a=1; b=2", [["a", "1"], ["b", "2"]]],
    ["a=1;b=2=3", [["a", "1"], ["b", "2=3"]]],
    ["a=1; a=2", [["a", "1"], ["a", "2"]]],
    ["=x; a=1; =; ;; flag; a", [["a", "1"]]],
    ["__proto__=x", [["__proto__", "x"]]],
    ["", []],
  ];
  for (const [header, expected] of given) {
    assert.deepEqual(cookiesOf(header).map(({ name, value }) => [name, value]), expected, header);
  }
});

Deno.test("setSession() writes as much of the path as a cookie can hold, and nothing else of it", () => {
  const given = [
    ["/", "/"],
    ["/functions/v1/", "/functions/v1/"],
    ["//evil.example/", "//evil.example/"],
    ["/a/b;Domain=evil.example/", "/a/"],
    ["/;Domain=evil.example/c/", "/"],
    ["/a/é/b/", "/a/"],
  ] as const;
  for (const [path, expected] of given) {
    const headers = new Headers();
    const session = { cookie: "runnel-x", value: "v", expiresAt: Date.now() + 1_000 };
    const request = new Request("https://runnel.example/");
    setSession(headers, session, { request, host: "runnel.example", path });
    const parts = headers.get("set-cookie")?.split("; ") ?? [];
    assert.deepEqual(parts.filter((part) => /^(path|domain)=/i.test(part)), [`Path=${expected}`]);
  }
});
