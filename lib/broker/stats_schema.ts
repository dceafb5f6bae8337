import { z } from "zod";
import type { RedisState, Stats } from "../codec/stats.ts";

const count = z.int().min(0);
const bytes = count.nullable();
const times = z.object({ p50: z.number(), p99: z.number() }).nullable();

const redisSchema = z.object({
  shard: z.int().min(1).meta({ description: "Its place among all." }),
  latencyMs: z.number().nullable().meta({ description: "How long it took to answer." }),
  memoryBytes: bytes,
  maxMemoryBytes: bytes.meta({ description: "0 where there is no limit." }),
  connected: z.boolean(),
}) satisfies z.ZodType<RedisState>;

/** What a process says of itself on `$stats`. */
export const statsSchema = z.object({
  instance: z.string().meta({ description: "Names the process." }),
  time: z.iso.datetime(),
  intervalMs: z.int().min(1).meta({
    description: "What the counts are of: the time since it said so last, in milliseconds.",
  }),
  in: count.meta({ description: "Messages published." }),
  out: count.meta({ description: "Messages delivered." }),
  requests: count,
  refused: count.meta({ description: "Requests that were refused: the caller's fault." }),
  errors: count.meta({ description: "Requests that failed: the server's fault." }),
  subscribers: count.meta({ description: "Streams that are open." }),
  publishMs: times.meta({ description: "From a call to its outcome; null where none was." }),
  deliveryMs: times.meta({
    description: "From a publication to a subscriber; null where nothing was delivered.",
  }),
  eventLoopMs: z.number().min(0).meta({ description: "How late timers were, 99th percentile." }),
  redis: z.array(redisSchema).meta({
    description: "Each Redis server; null is what could not be found out.",
  }),
  groups: z.object({ count, lag: count, pending: count, dead: count }).meta({
    description: "Of the whole deployment: how many there are, and what they have to do.",
  }),
  topics: count.meta({ description: "How many the whole deployment has." }),
}).meta({
  id: "Stats",
  description: "What a process says of itself on `$stats`, once a second.",
}) satisfies z.ZodType<Stats>;
