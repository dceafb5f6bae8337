import { z } from "zod";
import { typeProblem } from "../codec/message.ts";
import { publishTopicFault } from "../codec/topic.ts";

const HEADERS_MOST = 64;

/** Most characters of a key, and of a header's name or value. */
export const TEXT_MOST = 1_024;

/** A topic that somebody may publish to. */
export const topicField = z.string().superRefine((name, context) => {
  const fault = publishTopicFault(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});

/** A message's `type`. */
export const typeField = z.string().superRefine((name, context) => {
  const fault = typeProblem(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
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
);

/** The payload of a message and what describes it; {@link requireOnePayload} checks the rest. */
export const payloadFields = {
  data: z.unknown().optional(),
  dataBase64: z.base64().optional(),
  type: typeField.optional(),
  headers: headersField.optional(),
  contentType: z.string().min(1).max(TEXT_MOST).optional(),
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
