import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { messageBody } from "../codec/message.ts";
import { publishTopicFault } from "../codec/topic.ts";
import { withoutTraceparent } from "../codec/traceparent.ts";
import {
  payloadFields,
  requireOnePayload,
  shortText,
  topicField,
  typeField,
} from "./message_fields.ts";

const TTL_MOST_MS = 10 * 365 * 86_400_000;
const DELAY_MOST_MS = TTL_MOST_MS;

/** Most replicas that a publisher can wait for: there is a connection for each number. */
const REPLICAS_MOST = 8;
const CONFIRM_MOST_MS = 600_000;
const SUBSCRIBERS_MOST = 10_000;

const options = z.strictObject({
  type: typeField.optional(),
  key: shortText.optional().meta({
    description: "What the message is about; `conflate` keeps the latest of each.",
  }),
  idempotencyKey: shortText.optional().meta({
    description: "The same key stores a message of a topic once, however often it is sent.",
  }),
  ttlMs: z.int().min(1).max(TTL_MOST_MS).optional().meta({
    description: "It is not delivered any more after so many milliseconds.",
  }),
  delayMs: z.int().min(1).max(DELAY_MOST_MS).optional().meta({
    description: "It is published after so many milliseconds. Not together with `at`.",
  }),
  at: z.iso.datetime({ offset: true, error: "Must be an ISO time such as 2030-01-01T12:00:00Z" })
    .optional().meta({
      description: "When it is published. Not together with `delayMs`.",
      examples: ["2030-01-01T12:00:00Z"],
    }),
  durability: z.enum(["stored", "replicated", "ephemeral"]).optional().meta({
    description:
      "`stored`, where nothing is said: answered when Redis has it. `replicated`: when replicas have it too. `ephemeral`: whoever listens now gets it, and nothing is stored.",
  }),
  replicas: z.int().min(1).max(REPLICAS_MOST).optional().meta({
    description: "How many replicas must have it; with durability `replicated`.",
  }),
});

/** What a publisher said beside topic and payload, checked. */
export type PublishOptions = z.infer<typeof options>;

// what is not stored cannot be known again, and is not there to expire
function refuseForEphemeral(
  { durability, ...given }: PublishOptions,
  context: z.core.$RefinementCtx<unknown>,
): void {
  if (durability !== "ephemeral") return;
  for (const name of ["idempotencyKey", "ttlMs", "delayMs", "at"] as const) {
    if (given[name] === undefined) continue;
    context.addIssue({ code: "custom", path: [name], message: "An ephemeral message has none" });
  }
}

// nobody waits for what is published later, and what is only stored waits for nobody
function refuseReplicas(
  { durability, replicas, delayMs, at }: PublishOptions,
  context: z.core.$RefinementCtx<unknown>,
): void {
  if (replicas !== undefined && durability !== "replicated") {
    const message = 'Needs durability "replicated"';
    context.addIssue({ code: "custom", path: ["replicas"], message });
  }
  if (durability !== "replicated" || (delayMs ?? at) === undefined) return;
  context.addIssue({ code: "custom", path: ["durability"], message: "Not for a message of later" });
}

function refuseTwoTimes(
  { delayMs, at }: PublishOptions,
  context: z.core.$RefinementCtx<unknown>,
): void {
  if (delayMs === undefined || at === undefined) return;
  context.addIssue({ code: "custom", path: ["at"], message: "Not together with delayMs" });
}

// nobody is there to confirm what is not stored, or not yet published
function refuseConfirm(
  { confirm, durability, delayMs, at }: PublishOptions & { confirm?: object | undefined },
  context: z.core.$RefinementCtx<unknown>,
): void {
  const later = delayMs ?? at;
  if (confirm === undefined || (durability !== "ephemeral" && later === undefined)) return;
  const message = later === undefined
    ? "An ephemeral message has none"
    : "Not for a message of later";
  context.addIssue({ code: "custom", path: ["confirm"], message });
}

// one refinement, since each costs every message something
function refuseContradictions(
  given: PublishOptions,
  context: z.core.$RefinementCtx<unknown>,
): void {
  refuseForEphemeral(given, context);
  refuseTwoTimes(given, context);
  refuseReplicas(given, context);
}

/** What a publisher may say beside topic and payload. */
export const publishOptionsSchema = options.superRefine(refuseContradictions);

const message = options.extend({ ...payloadFields, topic: topicField });

/** One message as a publisher sends it. */
export const publishSchema = message.extend({
  confirm: z.strictObject({
    subscribers: z.int().min(1).max(SUBSCRIBERS_MOST),
    timeoutMs: z.int().min(1).max(CONFIRM_MOST_MS),
  }).optional().meta({
    description: "The answer waits until so many subscriptions have confirmed it, or for so long.",
  }),
}).superRefine((given, context) => {
  refuseContradictions(given, context);
  requireOnePayload(given, context);
  refuseConfirm(given, context);
}).meta({ id: "Publication", description: "A message as a publisher sends it." });

/** What {@link batchMessageSchema} takes, for the API's description. */
export const describedBatchMessageSchema = message.meta({
  id: "BatchMessage",
  description: "A message of a batch, which nobody waits for.",
});

/** One message of a batch, which nobody waits for. */
export const batchMessageSchema = publishSchema.superRefine(({ confirm }, context) => {
  if (confirm === undefined) return;
  context.addIssue({ code: "custom", path: ["confirm"], message: "Not in a batch" });
});

/** A message as a publisher sent it, checked. */
export type PublishInput = z.infer<typeof publishSchema>;

/**
 * Whether a value is a message that says its topic and a JSON payload and nothing else. Most are such, and in order as
 * they stand: the schemas would find the same, and take as long as reading the JSON did.
 *
 * @param value what came as JSON
 */
export function isPlainMessage(value: unknown): value is PublishInput {
  if (typeof value !== "object" || value === null || !("data" in value)) return false;
  for (const name in value) if (name !== "topic" && name !== "data") return false;
  return "topic" in value && typeof value.topic === "string" &&
    publishTopicFault(value.topic) === undefined;
}

/** A message ready to be stored. */
export interface PreparedMessage {
  readonly topic: string;
  readonly body: string;
  readonly options: string;
  /** Whether it goes to whoever is listening now and is not stored. */
  readonly ephemeral: boolean;
  /** How many replicas must have it before it is answered. @default none */
  readonly replicas?: number;
}

/** Turns a checked message into what is stored. */
export function prepareMessage(input: PublishInput): PreparedMessage {
  const { topic, durability } = input;
  const body = messageBody(input);
  const options = optionsOf(input, body);
  const prepared = { topic, body, options, ephemeral: durability === "ephemeral" };
  return durability === "replicated" ? { ...prepared, replicas: input.replicas ?? 1 } : prepared;
}

// the same key with another payload is a conflict, so the payload's digest is kept with the key
function optionsOf(input: PublishInput, body: string): string {
  const { ttlMs, key, idempotencyKey } = input;
  const later = laterOf(input);
  if ((ttlMs ?? key ?? idempotencyKey ?? later) === undefined) return "";
  const hash = idempotencyKey === undefined
    ? undefined
    : createHash("sha256").update(untracedBody(input, body)).digest("base64url").slice(0, 22);
  return JSON.stringify({ ttl: ttlMs, key, idem: idempotencyKey, hash, ...later });
}

function untracedBody(input: PublishInput, body: string): string {
  const untraced = withoutTraceparent(input);
  return untraced === input ? body : messageBody(untraced);
}

// whoever knows a message's token may cancel it, so it must not be guessed
function laterOf({ delayMs, at }: PublishInput) {
  if (delayMs === undefined && at === undefined) return undefined;
  const nonce = randomBytes(15).toString("base64url");
  return at === undefined ? { delay: delayMs, nonce } : { at: Math.max(1, Date.parse(at)), nonce };
}
