import { z } from "zod";
import { parseCursor } from "../codec/cursor.ts";
import { groupNameFault, type NameKind } from "./group_name.ts";
import { patternFault } from "../codec/topic.ts";

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
});
const named = (kind: NameKind) =>
  z.string().superRefine((name, context) => {
    const fault = groupNameFault(name, kind);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });
const leaseMs = z.int().min(LEASE_LIMITS.min).max(LEASE_LIMITS.max);
/** `<id>`, or `<p>.<id>` of a group whose pattern spans several partitions. */
const messageId = z.string().refine(
  (id) => /^(\d{1,2}\.)?\d{1,15}-\d{1,16}$/.test(id) && parseCursor(id) !== undefined,
  "Expected a message id",
);
const ids = z.array(messageId).min(1).max(MESSAGES_MOST);
const since = z.string().max(SINCE_MOST);

/** What a consumer says that wants work. */
export const pullSchema = z.strictObject({
  topic: sub,
  group: named("group"),
  consumer: named("consumer").optional(),
  attempt: z.int().min(0).optional(),
  since: since.optional(),
  max: z.int().min(1).max(MESSAGES_MOST).optional(),
  waitMs: z.int().min(0).max(WAIT_MOST_MS).optional(),
  leaseMs: leaseMs.optional(),
}).superRefine(({ attempt, consumer }, context) => {
  if (attempt === undefined || consumer !== undefined) return;
  refuse(context, "attempt", "Needs a consumer: attempts are counted for each");
});

const ackFields = z.strictObject({
  topic: sub,
  ids,
  group: named("group").optional(),
  subscription: z.string().min(1).max(128).optional(),
  outcome: z.enum(["ack", "nack", "extend"]).optional(),
  lease: z.string().min(1).max(LEASE_TEXT_MOST).optional(),
  delayMs: z.int().min(0).max(DELAY_MOST_MS).optional(),
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
});

/** What can be set of a group. */
export const groupSchema = z.strictObject({
  maxDeliveries: z.int().min(1).max(1_000_000).nullable().optional(),
  since: since.optional(),
});

/** Which dead letters go back. */
export const redriveSchema = z.strictObject({
  ids: ids.optional(),
  group: named("group").optional(),
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
