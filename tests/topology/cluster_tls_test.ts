import assert from "node:assert/strict";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { range } from "../_support/fill.ts";
import { publishId } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";
import { openOn } from "../_support/topologies.ts";

Deno.test("a Cluster that speaks TLS alone, and asks for certificates, is written to and read", async () => {
  await using topology = await startTopology("cluster", { tls: true });
  await using runnel = await openOn(topology);
  const topics = range(0, 16).map((i) => `t.${i}`);
  await using stream = await openStream(`${runnel.url}/subscribe?topic=t.*`);
  await stream.until("$ready");
  for (const topic of topics) await publishId(runnel.url, { topic, data: topic });
  const seen = (await stream.messages(topics.length)).map(({ data }) => `${data}`);
  assert.deepEqual(seen.toSorted(), topics.toSorted());
});
