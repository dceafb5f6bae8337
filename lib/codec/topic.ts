import { RunnelError } from "../errors.ts";

/** The topic on which each process says what it does; nothing of it is kept. */
export const STATS_TOPIC = "$stats";

/** Most bytes of a topic's name or of a pattern. */
export const TOPIC_BYTES = 512;
const TOPIC = { what: "A topic", bytes: TOPIC_BYTES };

const encoder = new TextEncoder();
// controls, separators, surrogates standing alone, unassigned: whatever has no place on a screen; but not the joiners,
// which Persian, Indic scripts and emoji need
const UNPRINTABLE = /(?![\u200c\u200d])[\p{C}\p{Z}]/u;
const PLAIN = /^[A-Za-z0-9._:/@{}-]+$/;

/**
 * Says what is wrong with a name as a topic: 1 to 512 bytes of printable UTF-8, no white space, no `*`, no `,`.
 *
 * @returns undefined where nothing is wrong
 */
export function topicFault(name: string): string | undefined {
  const fault = nameFault(name, TOPIC);
  if (fault !== undefined) return fault;
  return name.includes("*") ? "A topic contains no *" : undefined;
}

/** Like {@link topicFault}, for a topic that somebody publishes to: a leading `$` is reserved. */
export function publishTopicFault(name: string): string | undefined {
  return name.startsWith("$") ? "A leading $ is reserved for the system" : topicFault(name);
}

/** Says what is wrong with a topic or a topic pattern; undefined where nothing is. */
export function patternFault(name: string): string | undefined {
  return nameFault(name, TOPIC);
}

/**
 * Throws where a name is no topic.
 *
 * @throws RunnelError `invalid_topic` that points at the place
 */
export function requireTopic(name: string, pointer: string): string {
  return require(name, { pointer, fault: topicFault(name) });
}

/**
 * Throws where a name is neither a topic nor a pattern.
 *
 * @throws RunnelError `invalid_topic` that points at the place
 */
export function requirePattern(name: string, pointer: string): string {
  return require(name, { pointer, fault: patternFault(name) });
}

/**
 * Throws where nobody may publish to a name, or set how it is kept.
 *
 * @throws RunnelError `invalid_topic` that points at the place
 */
export function requirePublishTopic(name: string, pointer: string): string {
  return require(name, { pointer, fault: publishTopicFault(name) });
}

function require(
  name: string,
  { pointer, fault }: { pointer: string; fault: string | undefined },
): string {
  if (fault === undefined) return name;
  throw new RunnelError("invalid_topic", fault, { errors: [{ pointer, detail: fault }] });
}

/**
 * Says what is wrong with a name of so many bytes at the most, whatever it is the name of: it must be printable UTF-8
 * without white space and `,`.
 *
 * @returns undefined where nothing is wrong
 */
export function nameFault(
  name: string,
  { what, bytes }: { what: string; bytes: number },
): string | undefined {
  if (name.length <= bytes && PLAIN.test(name)) return undefined;
  if (name === "") return `${what} has at least one character`;
  if (UNPRINTABLE.test(name) || !name.isWellFormed()) {
    return `${what} has neither white space nor control characters`;
  }
  if (name.includes(",")) return `${what} contains no ,`;
  if (encoder.encode(name).length > bytes) return `${what} has at most ${bytes} bytes`;
  return undefined;
}
