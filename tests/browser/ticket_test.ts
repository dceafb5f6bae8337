import assert from "node:assert/strict";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { openPage, skipsBrowser } from "../_support/browser.ts";
import { startRunnel } from "../_support/fixture.ts";
import { send } from "../_support/http.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };

/** A page of another site: `localhost` is another than `127.0.0.1`. */
function servePage() {
  const html = "<!doctype html><title>An application</title>";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(html, { headers: { "content-type": "text/html" } }),
  );
  return {
    origin: `http://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test(
  "a page of another site publishes and subscribes with a ticket, and comes back with its cookie, and nothing else",
  options,
  async () => {
    await using site = servePage();
    await using runnel = await startRunnel({
      env: { ...JWT_ENV, RUNNEL_CORS_ORIGINS: site.origin },
    });
    await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
    const url = `http://127.0.0.1:${proxy.port}`;
    const backend = bearer(await token(ALL));
    const { body } = await send(`${runnel.url}/token`, {
      json: { publish: ["chat"], subscribe: ["chat"] },
      headers: backend,
    });
    await using browser = await openPage(site.origin);
    const evaluate = <T>(script: string): Promise<T> => browser.page.evaluate(script);
    await evaluate(`
      globalThis.seen = [];
      globalThis.ready = 0;
      globalThis.stream = new EventSource(
        "${url}/subscribe/chat?ticket=${body.ticket}",
        { withCredentials: true },
      );
      stream.onmessage = (event) => seen.push(JSON.parse(event.data).data);
      stream.addEventListener("$ready", () => ready++);
      globalThis.publish = async (topic, data) => (await fetch("${url}/publish", {
        method: "POST",
        credentials: "include",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ topic, data }),
      })).status;
    `);
    await until(() => evaluate("ready === 1"), { what: "the stream" });
    assert.equal(await evaluate("document.cookie"), "");
    assert.equal(await evaluate("publish('chat', 1)"), 200);
    assert.equal(await evaluate("publish('other', 1)"), 403);
    for (let i = 0; i < 2; i++) {
      proxy.cutAll();
      const headers = { headers: backend };
      await send(`${runnel.url}/publish`, { json: { topic: "chat", data: i + 2 }, ...headers });
      await until(() => evaluate(`ready === ${i + 2}`), { what: "the stream to be back" });
    }
    await until(() => evaluate("seen.length >= 3"));
    assert.deepEqual(await evaluate("seen"), [1, 2, 3]);
  },
);

Deno.test(
  "a page that is not allowed gets nowhere with the cookie that its visitor has",
  options,
  async () => {
    await using good = servePage();
    await using evil = servePage();
    // the port apart it is the same: only the list tells them apart
    await using runnel = await startRunnel({
      loopback: false,
      env: { ...JWT_ENV, RUNNEL_CORS_ORIGINS: good.origin },
    });
    const proxyHost = runnel.url.replace("127.0.0.1", "runnel.test");
    await using browser = await openPage(good.origin, {
      args: ["--host-resolver-rules=MAP runnel.test 127.0.0.1"],
    });
    const call = (origin: string, credentials: string) =>
      browser.page.goto(origin).then(() =>
        browser.page.evaluate(`
          fetch("${proxyHost}/topics", { credentials: "${credentials}" })
            .then(({ status }) => status, () => "refused")
        `)
      );
    // without a credential it is told so, which shows that it may read the answer
    assert.equal(await call(good.origin, "include"), 401);
    assert.equal(await call(evil.origin, "include"), "refused");
    assert.equal(await call(evil.origin, "omit"), "refused");
  },
);
