import { z } from "zod";
import { parseCursor } from "../codec/cursor.ts";
import { groupNameFault, NAME_BYTES, type NameKind } from "./group_name.ts";
import { patternFault, TOPIC_BYTES } from "../codec/topic.ts";

/** Most messages of one pull, and most ids of one ack. */
export const MESSAGES_MOST = 1_000;
/** How long a lease is where nothing is said, in milliseconds. */
export const LEASE_MS = 30_000;
/** The shortest and the longest lease, in milliseconds. */
export const LEASE_LIMITS = { min: 100, max: 12 * 3_600_000 };
const WAIT_MOST_MS = 60_000;
const DELAY_MOST_MS = 7 * 86_400_000;
// of many partitions
const LEASE_TEXT_MOST = 2_048;
const SINCE_MOST = 4_096;

const sub = z.string().superRefine((name, context) => {
  const fault = patternFault(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
}).meta({
  id: "TopicOrPattern",
  description:
    "A topic, or a pattern of topics: `*` matches one or more characters but not `.` `/` `:`, `**` matches anything.",
  pattern: "^[^,\\s]+$",
  maxLength: TOPIC_BYTES,
  examples: ["jobs", "jobs.*"],
});
const named = (kind: NameKind) =>
  z.string().superRefine((name, context) => {
    const fault = groupNameFault(name, kind);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  }).meta({
    description: kind === "group" ? "The group's name." : "The consumer's name in the group.",
    pattern: "^[^*,|\\s]+$",
    maxLength: NAME_BYTES,
    examples: [kind === "group" ? "workers" : "worker-1"],
  });
const leaseMs = z.int().min(LEASE_LIMITS.min).max(LEASE_LIMITS.max).meta({
  description: `How long the consumer has the messages, in milliseconds; ${LEASE_MS} if not given.`,
});
/** `<id>`, or `<p>.<id>` of a group whose pattern spans several partitions. */
const messageId = z.string().refine(
  (id) => /^(\d{1,2}\.)?\d{1,15}-\d{1,16}$/.test(id) && parseCursor(id) !== undefined,
  "Expected a message id",
).meta({
  id: "MessageId",
  description: "The id of a message; `<p>.<id>` for a group whose pattern spans partitions.",
  pattern: "^(\\d{1,2}\\.)?\\d{1,15}-\\d{1,16}$",
  examples: ["1767225600000-65536"],
});
const ids = z.array(messageId).min(1).max(MESSAGES_MOST);
const since = z.string().max(SINCE_MOST).meta({
  description:
    "Where a new group starts: `latest`, `earliest`, `last:<n>`, an ISO time, a duration such as `10m`, or a message id.",
  examples: ["earliest"],
});

/** What a consumer says that wants work. */
export const pullSchema = z.strictObject({
  topic: sub,
  group: named("group"),
  consumer: named("consumer").optional(),
  attempt: z.int().min(0).optional().meta({
    description: "Rises with each pull of a consumer; the same number again gives the same lease.",
  }),
  since: since.optional(),
  max: z.int().min(1).max(MESSAGES_MOST).optional().meta({
    description: "Most messages that are given; 1 if not given.",
  }),
  waitMs: z.int().min(0).max(WAIT_MOST_MS).optional().meta({
    description: "How long to wait where there is nothing, in milliseconds.",
  }),
  leaseMs: leaseMs.optional(),
}).superRefine(({ attempt, consumer }, context) => {
  if (attempt === undefined || consumer !== undefined) return;
  refuse(context, "attempt", "Needs a consumer: attempts are counted for each");
}).meta({ id: "Pull" });

const ackFields = z.strictObject({
  topic: sub,
  ids,
  group: named("group").optional(),
  subscription: z.string().min(1).max(128).optional().meta({
    description:
      "The subscription's name from `$ready`, where a subscriber confirms messages. Exactly one of `group` and `subscription` is given.",
  }),
  outcome: z.enum(["ack", "nack", "extend"]).optional().meta({
    description:
      "`ack`, where nothing is said: done. `nack`: to be delivered again. `extend`: the lease begins anew.",
  }),
  lease: z.string().min(1).max(LEASE_TEXT_MOST).optional().meta({
    description: "The lease that holds them; `nack` and `extend` need it.",
  }),
  delayMs: z.int().min(0).max(DELAY_MOST_MS).optional().meta({
    description: "With `nack`: how long before it is delivered again, in milliseconds.",
  }),
  leaseMs: leaseMs.optional(),
});

type AckFields = z.infer<typeof ackFields>;

/** What a consumer says of messages it holds, or a subscriber of one that it confirms to its publisher. */
export const ackSchema = ackFields.superRefine((fields, context) => {
  if ((fields.group === undefined) === (fields.subscription === undefined)) {
    refuse(context, "group", "Exactly one of group and subscription is needed");
  } else if (fields.group === undefined) {
    for (const name of ["outcome", "lease", "delayMs", "leaseMs"] as const) {
      if (fields[name] !== undefined) refuse(context, name, "Is for a group's messages");
    }
  } else refuseForOutcome(fields, context);
}).meta({ id: "Ack" });

/** What can be set of a group. */
export const groupSchema = z.strictObject({
  maxDeliveries: z.int().min(1).max(1_000_000).nullable().optional().meta({
    description: "Deliveries before a message becomes a dead letter; null is the default.",
  }),
  since: since.optional(),
}).meta({ id: "GroupSettings" });

/** Which dead letters go back. */
export const redriveSchema = z.strictObject({
  ids: ids.optional(),
  group: named("group").optional(),
}).meta({
  id: "Redrive",
  description: "Which dead letters go back: these, those of a group, or all where nothing is said.",
});

function refuseForOutcome(
  { outcome = "ack", lease, delayMs, leaseMs }: AckFields,
  context: z.core.$RefinementCtx<unknown>,
): void {
  if (outcome !== "ack" && lease === undefined) {
    refuse(context, "lease", `Only who holds a message can ${outcome} it`);
  }
  if (delayMs !== undefined && outcome !== "nack") refuse(context, "delayMs", "Is for a nack");
  if (leaseMs !== undefined && outcome !== "extend") refuse(context, "leaseMs", "Is for extend");
}

function refuse(context: z.core.$RefinementCtx<unknown>, field: string, message: string): void {
  context.addIssue({ code: "custom", path: [field], message });
}
