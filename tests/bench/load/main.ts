/** The load process: carries out one plan and prints its result as a JSON line. */
import { measureFanOut } from "./fan_out.ts";
import { measureGroups } from "./groups.ts";
import { measureLatency, measurePubSubLatency } from "./latency.ts";
import { holdRequests } from "./hold.ts";
import type { HoldPlan, IdlePlan, LoadPlan } from "./plan.ts";
import { Readers } from "./readers.ts";
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
      return await holdStreams(plan);
    case "work":
      return await measureWork(plan);
    case "round_trip":
      return await measureRoundTrips(plan);
    case "hold":
      return await holdOpenRequests(plan);
  }
}

async function holdStreams({ port, streamPath, subscribers }: IdlePlan): Promise<Held> {
  await using readers = new Readers();
  await openStreams(readers, port, { path: streamPath, count: subscribers });
  return await hold(readers, subscribers);
}

async function holdOpenRequests({ port, ...options }: HoldPlan): Promise<Held> {
  await using readers = new Readers();
  await holdRequests(readers, port, options);
  return await hold(readers, options.connections);
}

interface Held {
  readonly held: number;
}

async function hold(readers: Readers, count: number): Promise<Held> {
  console.log(JSON.stringify({ open: count }));
  await readers.during(untilEndOfInput());
  return { held: count };
}

async function untilEndOfInput(): Promise<void> {
  for await (const _ of Deno.stdin.readable) { /* Held until then. */ }
}

console.log(JSON.stringify(await carryOut(JSON.parse(Deno.args[0] ?? "{}"))));
// Sockets that a server keeps open must not keep this process.
Deno.exit(0);
