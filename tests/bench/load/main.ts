/** The load process: carries out one plan and prints its result as a JSON line. */
import { measureFanOut } from "./fan_out.ts";
import { measureLatency, measurePubSubLatency } from "./latency.ts";
import type { IdlePlan, LoadPlan } from "./plan.ts";
import { measureRequests } from "./requests.ts";
import { openStreams } from "./streams.ts";

async function carryOut(plan: LoadPlan): Promise<unknown> {
  switch (plan.role) {
    case "requests":
      return await measureRequests(plan);
    case "fanout":
      return await measureFanOut(plan);
    case "latency":
      return await measureLatency(plan);
    case "pubsub_latency":
      return await measurePubSubLatency(plan);
    case "idle":
      return await holdStreams(plan);
  }
}

async function holdStreams(plan: IdlePlan): Promise<{ held: number }> {
  const options = { path: plan.streamPath, count: plan.subscribers };
  await using _streams = await openStreams(plan.port, options);
  console.log(JSON.stringify({ open: plan.subscribers }));
  for await (const _ of Deno.stdin.readable) { /* Held until the end of input. */ }
  return { held: plan.subscribers };
}

console.log(JSON.stringify(await carryOut(JSON.parse(Deno.args[0] ?? "{}"))));
// Sockets that a server keeps open must not keep this process.
Deno.exit(0);
