import { RunnelError } from "../errors.ts";
import { nameFault } from "../codec/topic.ts";

/** Most bytes of the name of a group or a consumer. */
export const NAME_BYTES = 128;

/** What Redis keys of a group end in: its own would be another group's. */
const RESERVED = /:(due|held|lease|n|seen|c|ready|topics)$/;

/** What a name is the name of. */
export type NameKind = "group" | "consumer";

/**
 * Says what is wrong with a name as a group's or a consumer's: 1 to 128 bytes of printable UTF-8, no white space, none
 * of `*`, `,` and `|`.
 *
 * @returns undefined where nothing is wrong
 */
export function groupNameFault(name: string, kind: NameKind = "group"): string | undefined {
  const fault = nameFault(name, { what: `A ${kind}`, bytes: NAME_BYTES });
  if (fault !== undefined) return fault;
  if (kind === "group" && RESERVED.test(name)) return "A group's name does not end so";
  return /[*|]/.test(name) ? `A ${kind} contains neither * nor |` : undefined;
}

/**
 * Throws where a name is no group's or consumer's.
 *
 * @throws RunnelError `invalid_group` that points at the place
 */
export function requireGroupName(name: string, pointer: string, kind: NameKind = "group"): string {
  const fault = groupNameFault(name, kind);
  if (fault === undefined) return name;
  throw new RunnelError("invalid_group", fault, { errors: [{ pointer, detail: fault }] });
}
