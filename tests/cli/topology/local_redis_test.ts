import assert from "node:assert/strict";
import { isAlive } from "../../../lib/cli/redis/process_table.ts";
import { makeCertificates } from "../../../lib/cli/topology/certificates.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { deadline, until } from "../../_support/until.ts";

Deno.test("startRedis() keeps what was written through kill -9 and restart", async () => {
  await using redis = await startRedis();
  assert.equal(await redis.cli("SET", "a", "1"), "OK");
  await redis.kill9();
  await assert.rejects(() => redis.cli("GET", "a"), /Could not connect/);
  await redis.restart();
  assert.equal(await redis.cli("GET", "a"), "1");
});

Deno.test("startRedis() starts many servers at once on ports of their own", async () => {
  const servers = await Promise.all(Array.from({ length: 8 }, () => startRedis()));
  await using stack = new AsyncDisposableStack();
  for (const server of servers) stack.use(server);
  assert.equal(new Set(servers.map((server) => server.port)).size, 8);
  for (const server of servers) {
    assert.match(await server.cli("INFO", "server"), new RegExp(`process_id:${server.pid}\r?\n`));
  }
});

Deno.test("startRedis() pauses, resumes and stops", async () => {
  await using redis = await startRedis({ appendonly: false });
  redis.pause();
  const pong = redis.cli("PING");
  redis.resume();
  assert.equal(await deadline(pong, 5_000, "PONG"), "PONG");
  await redis.stop();
  await assert.rejects(() => redis.cli("PING"));
});

Deno.test("startRedis() listens on a unix socket with a password", async () => {
  await using redis = await startRedis({ socket: true, password: "s/p" });
  assert.equal(redis.url, `unix://:s%2Fp@${redis.socket}`);
  assert.equal(await redis.cli("PING"), "PONG");
});

Deno.test("startRedis() listens with TLS and asks for a client certificate", async () => {
  await using certificates = await makeCertificates();
  await using redis = await startRedis({ tls: { certificates, clientAuth: true } });
  assert.match(redis.url, /^rediss:/);
  assert.equal(await redis.cli("PING"), "PONG");
});

Deno.test("startRedis() leaves no server behind when its process is killed", async () => {
  const module = new URL("../../../lib/cli/topology/local_redis.ts", import.meta.url).href;
  const code = `import { startRedis } from ${JSON.stringify(module)};
    console.log((await startRedis()).pid);
    await new Promise(() => setInterval(() => {}, 1000));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", code],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value));
  assert.ok(pid > 1 && isAlive(pid));
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  await until(() => !isAlive(pid), { what: "the orphan to go" });
});
