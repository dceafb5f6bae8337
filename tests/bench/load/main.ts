/** The load process: carries out one plan and prints its result as a JSON line. */
import { measureFanOut } from "./fan_out.ts";
import { measureGroups } from "./groups.ts";
import { measureLatency, measurePubSubLatency } from "./latency.ts";
import { holdRequests } from "./hold.ts";
import type { HoldPlan, IdlePlan, LoadPlan } from "./plan.ts";
import { measureRequests } from "./requests.ts";
import { measureRoundTrips } from "./round_trip.ts";
import { measurePages, measureReplay } from "./replay.ts";
import { runStorm } from "./storm.ts";
import { openStreams } from "./streams.ts";
import { runTraffic } from "./traffic.ts";
import { measureWork } from "./work.ts";

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
    case "traffic":
      return await runTraffic(plan);
    case "replay":
      return await measureReplay(plan);
    case "pages":
      return await measurePages(plan);
    case "storm":
      return await runStorm(plan);
    case "groups":
      return await measureGroups(plan);
    case "idle":
      return await hold(plan.subscribers, openIdle(plan));
    case "work":
      return await measureWork(plan);
    case "round_trip":
      return await measureRoundTrips(plan);
    case "hold":
      return await hold(plan.connections, openHeld(plan));
  }
}

function openIdle({ port, streamPath, subscribers }: IdlePlan): Promise<AsyncDisposable> {
  return openStreams(port, { path: streamPath, count: subscribers });
}

function openHeld({ port, ...options }: HoldPlan): Promise<AsyncDisposable> {
  return holdRequests(port, options);
}

async function hold(count: number, opening: Promise<AsyncDisposable>): Promise<{ held: number }> {
  await using _all = await opening;
  console.log(JSON.stringify({ open: count }));
  for await (const _ of Deno.stdin.readable) { /* Held until the end of input. */ }
  return { held: count };
}

console.log(JSON.stringify(await carryOut(JSON.parse(Deno.args[0] ?? "{}"))));
// Sockets that a server keeps open must not keep this process.
Deno.exit(0);
