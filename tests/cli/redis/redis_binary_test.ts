import assert from "node:assert/strict";
import { findRedis } from "../../../lib/cli/redis/redis_binary.ts";

async function folderWith(programs: Record<string, string>) {
  const dir = await Deno.makeTempDir({ prefix: "runnel-path-" });
  for (const [name, output] of Object.entries(programs)) {
    await Deno.writeTextFile(`${dir}/${name}`, `#!/bin/sh\necho '${output}'\n`, { mode: 0o755 });
  }
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

Deno.test("findRedis() finds the redis-server of this machine", async () => {
  const { usable } = await findRedis();
  assert.match(usable?.version ?? "", /^\d+\.\d+\.\d+$/);
});

Deno.test("findRedis() takes valkey-server where redis-server is missing or too old", async () => {
  await using dir = await folderWith({
    "redis-server": "Redis server v=6.0.16 sha=0:0 bits=64",
    "valkey-server": "Valkey server v=8.1.3 sha=0:0 bits=64",
  });
  assert.deepEqual(await findRedis(dir.dir), {
    usable: { path: `${dir.dir}/valkey-server`, version: "8.1.3" },
    tooOld: [{ path: `${dir.dir}/redis-server`, version: "6.0.16" }],
  });
});

Deno.test("findRedis() goes on along PATH past what cannot be run", async () => {
  await using good = await folderWith({ "redis-server": "Redis server v=7.2.5 sha=0" });
  await using odd = await folderWith({ "valkey-server": "hello" });
  await Deno.mkdir(`${odd.dir}/redis-server`);
  await using plain = await folderWith({ "redis-server": "Redis server v=9.0.0" });
  await Deno.chmod(`${plain.dir}/redis-server`, 0o644);
  const path = ["", "/nowhere", odd.dir, plain.dir, good.dir].join(":");
  assert.equal((await findRedis(path)).usable?.path, `${good.dir}/redis-server`);
});

Deno.test("findRedis() finds nothing on an empty PATH", async () => {
  assert.deepEqual(await findRedis(""), { usable: undefined, tooOld: [] });
});
