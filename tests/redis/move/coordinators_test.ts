import assert from "node:assert/strict";
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import { range } from "../../_support/fill.ts";
import { readHistory } from "../../_support/history.ts";
import { publishId } from "../../_support/http.ts";
import { openRunnel } from "../../_support/open_runnel.ts";
import { reshardTo } from "../../_support/reshard.ts";
import { until } from "../../_support/until.ts";

const TOPICS = range(0, 32).map((i) => `t${i}`);

Deno.test("Reshard waits for another one of the same deployment, whatever shards come and go", async () => {
  await using topology = await startTopology("shards", { shards: 4 });
  const [a = "", b = "", c = "", d = ""] = topology.env.REDIS_URL.split(" ");
  await using runnel = await openRunnel({ redisUrl: [a, b].join(" ") });
  for (const topic of TOPICS) await publishId(runnel.url, { topic, data: topic });
  const [first, second]: [string[], string[]] = [[], []];
  // new ids are by chance: one of the two new shards may come before all others
  const grown = reshardTo({ from: [a, b], to: [a, b, c, d], said: first });
  await until(() => first.some((text) => text.includes("moves")));
  const shrunk = reshardTo({ from: [a, b, c, d], to: [b], said: second });
  await until(() => second.length > 0);
  assert.match(second[0] ?? "", /Waits for another coordinator/);
  assert.equal((await grown).shards.length, 4);
  const { shards, moved } = await shrunk;
  assert.deepEqual([shards.length, moved], [1, 12]);
  for (const topic of TOPICS) {
    assert.deepEqual((await readHistory(runnel.url, topic)).map(({ data }) => data), [topic]);
  }
});
