import { z } from "zod";
import type { GroupDescription, TopicDescription, TopicList } from "./topics.ts";

const id = z.string().nullable().meta({ examples: ["1767225600000-65536"] });

const groupSchema = z.object({
  topic: z.string().meta({ description: "The topic or pattern that it consumes." }),
  group: z.string(),
  lag: z.int().min(0).meta({ description: "Messages that it has not taken yet." }),
  pending: z.int().min(0).meta({ description: "Messages that are leased, or wait for it again." }),
  oldestPendingMs: z.int().min(0).nullable().meta({
    description: "Age of the oldest of them, in milliseconds.",
  }),
  dead: z.int().min(0).meta({ description: "Dead letters that were not put back." }),
  maxDeliveries: z.int().min(1),
  consumers: z.array(z.object({
    name: z.string(),
    leased: z.int().min(0),
    seen: z.iso.datetime().meta({ description: "When it pulled last." }),
  })),
}).meta({ id: "Group" }) satisfies z.ZodType<GroupDescription>;

/** What is told of one topic. */
export const topicSchema = z.object({
  topic: z.string().meta({ examples: ["orders.eu"] }),
  messages: z.int().min(0).meta({ description: "Messages kept." }),
  firstId: id,
  lastId: id,
  count: z.int().min(0).meta({ description: "Messages ever published to it." }),
  bytes: z.int().min(0).meta({ description: "Memory that its messages take in Redis." }),
  subscribers: z.int().min(0).meta({ description: "Open subscriptions, as of a moment ago." }),
  retention: z.object({
    maxMessages: z.int().min(1),
    maxAgeMs: z.int().min(1).nullable(),
  }),
  ownRetention: z.object({
    maxMessages: z.int().min(1).exactOptional(),
    maxAgeMs: z.int().min(1).exactOptional(),
  }).meta({ description: "What of that was set for this topic; the rest is the default." }),
  groups: z.array(groupSchema).meta({ description: "The groups that consume it." }),
}).meta({ id: "Topic" }) satisfies z.ZodType<TopicDescription>;

/** Some of the topics. */
export const topicListSchema = z.object({
  topics: z.array(z.object({
    topic: z.string(),
    count: z.int().min(0).meta({ description: "Messages ever published to it." }),
    lastId: id,
  })),
  next: z.string().exactOptional().meta({
    description: "Where there are more: what `after` is for the following page.",
  }),
  missing: z.literal(true).exactOptional().meta({
    description: "Some Redis servers are out of reach, so that their topics are not listed.",
  }),
}).meta({ id: "TopicList" }) satisfies z.ZodType<TopicList>;
