import { z } from "zod";
import { TYPE_MOST, typeProblem } from "../codec/message.ts";
import { publishTopicFault, TOPIC_BYTES } from "../codec/topic.ts";

const HEADERS_MOST = 64;

/** Most characters of a key, and of a header's name or value. */
export const TEXT_MOST = 1_024;

/** A topic that somebody may publish to. */
export const topicField = z.string().superRefine((name, context) => {
  const fault = publishTopicFault(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
}).meta({
  id: "PublishTopic",
  description:
    "1 to 512 bytes of printable UTF-8 without white space, `*` and `,`; a leading `$` is reserved.",
  pattern: "^[^$*,\\s][^*,\\s]*$",
  maxLength: TOPIC_BYTES,
  examples: ["orders.eu"],
});

/** A message's `type`. */
export const typeField = z.string().superRefine((name, context) => {
  const fault = typeProblem(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
}).meta({
  description:
    "Names the SSE event; not `open`, `error` or `message`, which browsers fire themselves, and without a leading `$`.",
  pattern: "^(?!(open|error|message)$)[^$]",
  maxLength: TYPE_MOST,
  examples: ["order-placed"],
});

/**
 * A key, or another text that goes to a script as JSON, where half a character would fail the whole call for everybody
 * in it.
 */
export const shortText = z.string().min(1).max(TEXT_MOST)
  .refine((text) => text.isWellFormed(), "Must not contain half a surrogate pair");

// z.record leaves a key of this name out without a word
const headersField = z.unknown().superRefine((value, context) => {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "__proto__")) return;
  context.addIssue({ code: "custom", path: ["__proto__"], message: "Not a name for a header" });
}).pipe(
  z.record(z.string().max(TEXT_MOST), z.string().max(TEXT_MOST))
    .refine((headers) => Object.keys(headers).length <= HEADERS_MOST, `At most ${HEADERS_MOST}`),
).meta({
  description: "Texts of the publisher's own, which subscribers get with the message.",
  type: "object",
  additionalProperties: { type: "string", maxLength: TEXT_MOST },
  propertyNames: { maxLength: TEXT_MOST },
  maxProperties: HEADERS_MOST,
});

/** The payload of a message and what describes it; {@link requireOnePayload} checks the rest. */
export const payloadFields = {
  data: z.unknown().optional().meta({
    description: "The payload, any JSON value. Exactly one of `data` and `dataBase64` is given.",
  }),
  dataBase64: z.base64().optional().meta({ description: "A binary payload in base64." }),
  type: typeField.optional(),
  headers: headersField.optional(),
  contentType: z.string().min(1).max(TEXT_MOST).optional().meta({
    description: "The payload's media type, where it is not JSON's.",
    examples: ["image/png"],
  }),
};

/** Refuses a message with two payloads or none. */
export function requireOnePayload(
  message: { readonly data?: unknown; readonly dataBase64?: string | undefined },
  context: z.core.$RefinementCtx<unknown>,
): void {
  if (("data" in message) !== (message.dataBase64 !== undefined)) return;
  context.addIssue({
    code: "custom",
    path: ["data"],
    message: "Exactly one of data and dataBase64 is needed",
  });
}
