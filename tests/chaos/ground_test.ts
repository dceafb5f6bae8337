import assert from "node:assert/strict";
import { openGround } from "./ground.ts";

// else a server that starts again is reached past its proxy, and Sentinels take it for one more
Deno.test("a server of the chaos ground is reached through its proxy, also once it has started again", async (t) => {
  const topologies = [
    ["sentinel", "replica-announce-port"],
    ["cluster", "cluster-announce-port"],
  ] as const;
  for (const [name, setting] of topologies) {
    await t.step(name, async () => {
      await using ground = await openGround({ name });
      const [server] = await ground.data("slave");
      assert.ok(server !== undefined);
      const announced = () => server.cli("CONFIG", "GET", setting);
      const before = await announced();
      assert.ok(!before.endsWith(`\n${server.port}`) && !before.endsWith("\n0"), before);
      await server.kill9();
      await server.restart();
      assert.equal(await announced(), before);
    });
  }
});

Deno.test("the Sentinels of the chaos ground know each server by one address", async () => {
  await using ground = await openGround({ name: "sentinel" });
  const [sentinel] = ground.servers("sentinel");
  const text = await sentinel?.cli("SENTINEL", "REPLICAS", "runnel") ?? "";
  const known = [...text.matchAll(/^port\n(\d+)$/gm)].map(([, port]) => Number(port));
  assert.deepEqual(
    known.sort(),
    ground.servers("replica").map((server) => ground.proxyOf(server).port).sort(),
  );
});
