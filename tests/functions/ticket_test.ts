import assert from "node:assert/strict";
import { ALL, apiKey, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";

const PAGE = "https://app.example";
const env = { ...JWT_ENV, RUNNEL_CORS_ORIGINS: PAGE };

async function ticketFor(url: string, wanted: Record<string, unknown>): Promise<string> {
  const answer = await send(`${url}/token`, { json: wanted, headers: bearer(await token(ALL)) });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return String(answer.body.ticket);
}

/** A cookie as the browser sends it back. */
function cookieOf(response: Response): string {
  const header = response.headers.get("set-cookie");
  assert.ok(header, "a cookie is set");
  return header.split(";")[0] ?? "";
}

Deno.test("a ticket opens a stream once, and the cookie that comes with it opens the same URL again", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const at = `${url}/subscribe/a?ticket=${await ticketFor(url, { subscribe: ["a"] })}`;
  await using first = await openStream(at);
  await first.until("$ready");
  const cookie = cookieOf(first.response);
  assertProblem(await send(at), { status: 401, code: "invalid_token" });
  for (let i = 0; i < 2; i++) {
    await using again = await openStream(at, { headers: { cookie, origin: PAGE } });
    await again.until("$ready");
    assert.equal(again.response.headers.get("set-cookie"), null);
    assert.equal(again.response.headers.get("access-control-allow-origin"), PAGE);
    assert.equal(again.response.headers.get("access-control-allow-credentials"), "true");
  }
});

Deno.test("the cookie is HttpOnly, for this server's paths only, and ends with the credential", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const headers = bearer(await token(ALL, { endsIn: 100 }));
  const { body } = await send(`${url}/token`, { json: { subscribe: ["a"] }, headers });
  await using stream = await openStream(`${url}/some/where/subscribe/a?ticket=${body.ticket}`);
  const cookie = stream.response.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^runnel-[\w-]{22}=/);
  for (const part of ["HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/some/where/"]) {
    assert.ok(cookie.split("; ").includes(part), `${part} in ${cookie}`);
  }
  const seconds = Number(/Max-Age=(\d+)/.exec(cookie)?.[1]);
  assert.ok(seconds > 90 && seconds <= 100, cookie);
});

Deno.test("two streams of one page with a ticket each come back each with its own", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const urls = await Promise.all(
    ["a", "b"].map(async (topic) =>
      `${url}/subscribe/${topic}?ticket=${await ticketFor(url, { subscribe: [topic] })}`
    ),
  );
  const cookies: string[] = [];
  for (const at of urls) {
    await using stream = await openStream(at);
    cookies.push(cookieOf(stream.response));
  }
  const headers = { cookie: cookies.join("; "), origin: PAGE };
  for (const at of urls) {
    await using stream = await openStream(at, { headers });
    await stream.until("$ready");
  }
  // one URL's cookie is of no use at another's topic
  const swapped = urls[0]?.replace("/subscribe/a", "/subscribe/b") ?? "";
  assertProblem(await send(swapped, { headers }), { status: 403, code: "forbidden" });
});

Deno.test("a ticket publishes once, for what it was narrowed to, and its cookie as often as it likes from an allowed page", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const wanted = { publish: ["chat.*"], subscribe: ["chat.*"] };
  const ticket = await ticketFor(url, wanted);
  const at = `${url}/publish?ticket=${ticket}`;
  assert.equal((await send(at, { json: { topic: "chat.1", data: 1 } })).status, 200);
  assertProblem(await send(at, { json: { topic: "chat.1", data: 1 } }), {
    ...{ status: 401, code: "invalid_token" },
  });
  await using stream = await openStream(
    `${url}/subscribe?topic=chat.*&ticket=${await ticketFor(url, wanted)}`,
  );
  const headers = { cookie: cookieOf(stream.response), origin: PAGE };
  for (let i = 0; i < 3; i++) {
    const answer = await publish(url, { topic: "chat.2", data: i }, { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
  }
  const other = await publish(url, { topic: "other", data: 1 }, { headers });
  assertProblem(other, { status: 403, code: "forbidden" });
  assert.deepEqual((await stream.messages(3)).map(({ data }) => data), [0, 1, 2]);
});

Deno.test("what a cookie lets in needs a page that is allowed: CSRF gets nowhere, neither writing nor reading", async (t) => {
  await using runnel = await startRunnel({ env: { ...env, RUNNEL_CORS_ORIGINS: `${PAGE},*` } });
  const { url } = runnel;
  // `*` lets every page in, and none with cookies
  const cookie = `runnel=${await token(ALL)}`;
  const calls: [string, string, Record<string, unknown>?][] = [
    ["POST", "/publish", { topic: "a", data: 1 }],
    ["POST", "/pull", { topic: "a", group: "g" }],
    ["GET", "/subscribe?topic=a&wait=0"],
    ["GET", "/subscribe?topic=a&group=g&wait=0&limit=1"],
    ["GET", "/topics"],
  ];
  const refused: Record<string, string>[] = [
    {},
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `${PAGE}.evil.example` },
    { origin: "http://localhost:3000.evil.example" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
  ];
  const taken: Record<string, string>[] = [{ origin: PAGE }, { "sec-fetch-site": "same-origin" }];
  for (const [method, path, json] of calls) {
    await t.step(`${method} ${path}`, async () => {
      const call = (headers: Record<string, string>) =>
        send(url + path, { method, ...(json ? { json } : {}), headers: { cookie, ...headers } });
      for (const headers of refused) {
        const answer = await call(headers);
        assertProblem(answer, { status: 403, code: "origin_not_allowed" });
      }
      for (const headers of taken) assert.equal((await call(headers)).status, 200);
    });
  }
});

Deno.test("the application's own cookie carries a token, and a header wins over it", async () => {
  await using runnel = await startRunnel({ env });
  const mine = await token({ publish: ["mine"] });
  const headers = { cookie: `theme=dark; runnel=${mine}`, origin: PAGE };
  const { url } = runnel;
  assert.equal((await publish(url, { topic: "mine", data: 1 }, { headers })).status, 200);
  assert.equal((await publish(url, { topic: "yours", data: 1 }, { headers })).status, 403);
  const other = { ...headers, ...bearer(await token({ publish: ["yours"] })) };
  assert.equal((await publish(url, { topic: "yours", data: 1 }, { headers: other })).status, 200);
});

Deno.test("a ticket asks for no more than its owner has, lives for seconds, and gives no further ticket", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const headers = bearer(await token({ subscribe: ["a.*"] }));
  const ask = (json: unknown) => send(`${url}/token`, { json, headers });
  for (const json of [{ subscribe: ["a.**"] }, { publish: ["a.b"] }, { subscribe: ["a.b", "c"] }]) {
    assertProblem(await ask(json), { status: 403, code: "forbidden" });
  }
  for (
    const json of [{ ttlMs: 0 }, { ttlMs: 3_600_000 }, { manage: true }, { subscribe: "a" }, []]
  ) {
    assert.equal((await ask(json)).status, 400, JSON.stringify(json));
  }
  const { body } = await ask({ ttlMs: 10_000 });
  const lives = Date.parse(String(body.expiresAt)) - Date.now();
  assert.ok(lives > 5_000 && lives <= 10_000, `${lives}`);
  const further = await send(`${url}/token?ticket=${body.ticket}`, { json: {} });
  assertProblem(further, { status: 403, code: "forbidden" });
});

Deno.test("a ticket of another instance is taken here, and once over both", async () => {
  await using runnel = await startRunnel({ env });
  await using other = await runnel.another({ env });
  const ticket = await ticketFor(other.url, { subscribe: ["a"] });
  const answers = await Promise.all(
    [runnel, other, runnel, other].map(({ url }) =>
      send(`${url}/subscribe/a?wait=0&ticket=${ticket}`)
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401]);
});

Deno.test("a ticket is not spent by a page that must not use the server", async () => {
  await using runnel = await startRunnel({ env });
  const at = `${runnel.url}/subscribe/a?wait=0&ticket=${await ticketFor(runnel.url, {})}`;
  const foreign = await send(at, { headers: { origin: "https://evil.example" } });
  assertProblem(foreign, { status: 403, code: "origin_not_allowed" });
  assert.equal((await send(at, { headers: { origin: PAGE } })).status, 200);
});

Deno.test("no credential is ever in the log, whatever is done with it", async () => {
  const key = apiKey("k", ALL);
  const env = {
    ...{ ...JWT_ENV, RUNNEL_AUTH: "jwt,keys" },
    RUNNEL_KEYS: JSON.stringify([key.key]),
  };
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  const jwt = await token(ALL);
  const ticket = await ticketFor(url, {});
  const { body: { ticket: narrow } } = await send(`${url}/token`, {
    json: { subscribe: ["b"] },
    headers: bearer(key.text),
  });
  const paths = [`/subscribe/a?wait=0&ticket=${ticket}`, `/subscribe/a?ticket=${ticket}`];
  for (const path of [...paths, `/subscribe/a?ticket=${narrow}`, `/nowhere?ticket=${narrow}`]) {
    await send(url + path);
  }
  await send(`${url}/publish`, { json: { topic: "" }, headers: bearer(jwt) });
  await send(`${url}/topics/x`, { method: "DELETE", headers: bearer(key.text) });
  await send(`${url}/topics`, { headers: { cookie: `runnel=${jwt}` } });
  await send(`${url}/topics`, { headers: bearer(`${jwt}x`) });
  const log = runnel.runnel.logs.join("\n");
  assert.match(log, /"audit":"refusal"/);
  for (const secret of [jwt, ticket, String(narrow), key.text]) {
    for (const part of [secret, ...secret.split(".")].filter((part) => part.length > 30)) {
      assert.ok(!log.includes(part), `${part.slice(0, 20)}… is in the log`);
    }
  }
});

Deno.test("no cookie and no path before the route makes a fault: each is answered as what it is", async () => {
  await using runnel = await startRunnel({ env });
  const { url } = runnel;
  for (const cookie of ["=x", "a=1;=b", "a", ";;", "=", "runnel", "runnel-x=1", "__proto__=x"]) {
    const { status } = await send(`${url}/topics`, { headers: { cookie, origin: PAGE } });
    assert.equal(status, 401, cookie);
  }
  for (const prefix of ["/a;b", "//evil.example", "/%3B", "/;Domain=evil.example"]) {
    const ticket = await ticketFor(url, { subscribe: ["a"] });
    await using stream = await openStream(`${url}${prefix}/subscribe/a?ticket=${ticket}`);
    await stream.until("$ready");
    assert.doesNotMatch(stream.response.headers.get("set-cookie") ?? "", /;\s*domain/i);
  }
});

Deno.test("two cookies with a token let nobody in: one of them is of another site of the domain", async () => {
  await using runnel = await startRunnel({ env });
  const [own, others] = await Promise.all([token(ALL), token(ALL, { sub: "mallory" })]);
  const cookie = `runnel=${others}; runnel=${own}`;
  const answer = await send(`${runnel.url}/topics`, { headers: { cookie, origin: PAGE } });
  assertProblem(answer, { status: 401, code: "invalid_token" });
});

Deno.test("a ticket that was given while everybody was let in is of no use when that is over", async () => {
  await using runnel = await startRunnel();
  const { body } = await send(`${runnel.url}/token`, { json: {} });
  await using strict = await runnel.another({ env });
  const answer = await send(`${strict.url}/topics?ticket=${body.ticket}`);
  assertProblem(answer, { status: 401, code: "invalid_token" });
});

Deno.test("a ticket and its cookie give nothing that was taken from their key's grants meanwhile", async () => {
  const { text, key } = apiKey("backend", { subscribe: ["a", "b"] });
  const keys = (...some: unknown[]) => ({ RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify(some) });
  await using runnel = await startRunnel({ env: keys(key) });
  const give = async (wanted: Record<string, unknown>) => {
    const { body } = await send(`${runnel.url}/token`, { json: wanted, headers: bearer(text) });
    return String(body.ticket);
  };
  const [wide, spent, narrow] = [await give({}), await give({}), await give({ subscribe: ["a"] })];
  await using stream = await openStream(`${runnel.url}/subscribe/b?ticket=${spent}`);
  const headers = { cookie: cookieOf(stream.response), "sec-fetch-site": "same-origin" };

  await using changed = await runnel.another({ env: keys({ ...key, subscribe: ["a"] }) });
  const { url } = changed;
  const refused = { status: 401, code: "invalid_token" };
  assertProblem(await send(`${url}/subscribe/b?wait=0&ticket=${wide}`), refused);
  assertProblem(await send(`${url}/subscribe/b?wait=0&ticket=${spent}`, { headers }), refused);
  await using other = await openStream(`${url}/subscribe/a?ticket=${narrow}`);
  await other.until("$ready");
});
