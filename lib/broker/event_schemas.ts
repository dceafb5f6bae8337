import { z } from "zod";
import type { ByeReason, ReadyEvent } from "./encoder.ts";
import type { Gap, GapReason } from "./page.ts";

const GAP_REASONS: Readonly<Record<GapReason, string>> = {
  retention: "they were trimmed",
  deleted: "the topic was deleted",
  failover: "they were on a primary that is no more",
  conflated: "later ones of the same key took their place",
};

const BYE_REASONS: Readonly<Record<ByeReason, string>> = {
  limit: "`limit` is reached",
  caught_up: "`wait=0`, and there is nothing more",
  time: "the stream's time is over",
  shutdown: "the server stops",
  moved: "the topics are elsewhere now",
  auth_expired: "the credential has ended",
  auth_revoked: "the credential was taken back",
};

/** Where a subscription stands, as text. */
export const cursorSchema = z.string().meta({
  description: "Where the subscription stands, for `Last-Event-ID` and `since`.",
  examples: ["1767225600000-65536"],
});

const subscription = z.string().meta({ description: "Names it, for confirmations." });

/** What `$ready` says. */
export const readySchema = z.union([
  z.object({ subscription, cursor: cursorSchema }),
  z.object({ subscription, group: z.string(), consumer: z.string() }),
]).meta({ id: "Ready", description: "The first event of a stream." }) satisfies z.ZodType<
  ReadyEvent
>;

/** What `$gap` says. */
export const gapSchema = z.object({
  topic: z.string().nullable().meta({ description: "Null where it cannot be told." }),
  after: z.string().meta({ description: "Messages after this one are missing." }),
  before: z.string().nullable().meta({
    description: "The first one that is there again; null where none is yet.",
  }),
  reason: reasonOf(GAP_REASONS),
  skipped: z.int().min(1).exactOptional().meta({
    description: "How many were left out, where they were conflated.",
  }),
}).meta({ id: "Gap", description: "Messages that do not come." }) satisfies z.ZodType<Gap>;

/** What `$bye` says. */
export const byeSchema = z.object({
  reason: reasonOf(BYE_REASONS),
  retryMs: z.int().min(0).meta({ description: "How long to wait before coming back." }),
}).meta({ id: "Bye", description: "The last event of a stream." });

/** What `$auth-expiring` says. */
export const expiringSchema = z.object({
  in: z.int().min(0).meta({ description: "Milliseconds until the credential ends." }),
}).meta({ id: "AuthExpiring", description: "The credential that opened the stream will end." });

/** A schema of one of some words, each of which is explained. */
function reasonOf<R extends string>(reasons: Readonly<Record<R, string>>): z.ZodType<R> {
  // the keys of an object that has no others
  const words = Object.keys(reasons) as R[];
  const explained = words.map((word) => `\`${word}\`: ${reasons[word]}.`).join(" ");
  return z.enum(words).meta({ description: explained });
}
