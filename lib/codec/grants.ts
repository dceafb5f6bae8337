import { z } from "zod";
import { patternFault } from "./topic.ts";

/** Most patterns of one kind that a token, key or ticket names. */
const PATTERNS_MOST = 200;

const pattern = z.string().superRefine((name, context) => {
  const fault = patternFault(name);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});
const patterns = z.array(pattern).max(PATTERNS_MOST).optional().meta({
  description: "Topics and patterns.",
  examples: [["orders.*"]],
});

/** What may be done on which topics; of a token it is the claim `runnel`. */
export const grantsSchema = z.strictObject({
  publish: patterns,
  subscribe: patterns,
  consume: patterns,
  manage: z.boolean().optional(),
});

/** Topics and patterns for each action, and whether topics and groups may be managed. What is absent is not granted. */
export type Grants = Readonly<z.infer<typeof grantsSchema>>;

/** The actions that are granted by pattern. */
export const TOPIC_ACTIONS = ["publish", "subscribe", "consume"] as const;

/** One of {@link TOPIC_ACTIONS}. */
export type TopicAction = typeof TOPIC_ACTIONS[number];

const SUB = "{sub}";
// what would end the part of a name that stands for the subject, or make a pattern of it
const SPECIAL = /[*.,/:%{}$]|(?![\u200c\u200d])[\p{C}\p{Z}]/gu;

/**
 * The grants with `{sub}` replaced by the token's subject. Characters of the subject that mean something in a topic are
 * percent-encoded, `.` too (`%2E`): no subject gets into what belongs to another.
 *
 * @throws {TypeError} A pattern names `{sub}` and the token has no subject, or one that cannot stand in a topic.
 */
export function withSubject(grants: Grants, subject: string | undefined): Grants {
  const replace = (names: readonly string[]): string[] =>
    names.map((name) => {
      if (!name.includes(SUB)) return name;
      if (subject === undefined || subject === "" || !subject.isWellFormed()) {
        throw new TypeError("Cannot fill in {sub}: the token has no subject that can stand there");
      }
      const filled = name.replaceAll(SUB, () => encodeSubject(subject));
      const fault = patternFault(filled);
      if (fault !== undefined) throw new TypeError(`Cannot fill in {sub}: ${fault}`);
      return filled;
    });
  return {
    ...grants,
    ...Object.fromEntries(
      TOPIC_ACTIONS.flatMap((action) => {
        const names = grants[action];
        return names === undefined ? [] : [[action, replace(names)]];
      }),
    ),
  };
}

function encodeSubject(subject: string): string {
  return subject.replace(SPECIAL, (character) => {
    const bytes = new TextEncoder().encode(character);
    return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("");
  });
}
