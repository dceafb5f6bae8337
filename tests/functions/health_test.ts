import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { send } from "../_support/http.ts";

Deno.test("GET /health/live and /health/ready are green on a Redis that is well", async () => {
  await using fixture = await startRunnel();
  const live = await send(`${fixture.url}/health/live`);
  assert.deepEqual([live.status, live.body], [200, { status: "ok" }]);
  const ready = await send(`${fixture.url}/health/ready`);
  assert.equal(ready.status, 200);
  assert.equal(ready.body.status, "ready");
  assert.equal(typeof ready.body.redis, "object");
});

Deno.test("the health paths are open where nothing else is", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_AUTH: "" } });
  for (const path of ["/health/live", "/health/ready"]) {
    assert.equal((await send(`${fixture.url}${path}`)).status, 200);
  }
  assert.equal((await send(`${fixture.url}/topics`)).status, 503);
});

Deno.test("the health paths answer HEAD", async () => {
  await using fixture = await startRunnel();
  const response = await fetch(`${fixture.url}/health/ready`, { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
});

Deno.test("GET /health/ready tells nothing of where Redis is", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false, password: "s3cr3t" } });
  const { status, body } = await send(`${fixture.url}/health/ready`);
  assert.equal(status, 200);
  assert.ok(!JSON.stringify(body).includes("s3cr3t"));
  assert.ok(!JSON.stringify(body).includes(`${fixture.redis.port}`));
});

Deno.test("many who ask GET /health/ready at once make one check", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  const ask = () => send(`${fixture.url}/health/ready`, { fetch: fixture.runnel.fetch });
  await ask();
  await fixture.redis.cli("CONFIG", "RESETSTAT");
  const answers = await Promise.all(Array.from({ length: 200 }, ask));
  assert.ok(answers.every(({ status }) => status === 200));
  const stats = await fixture.redis.cli("INFO", "commandstats");
  const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
  assert.ok(calls > 0 && calls < 20, stats);
});
