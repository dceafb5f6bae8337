/** Where Redis counts what an identity publishes in a second. */
import { createHash } from "node:crypto";

/** Longer than a test takes, in milliseconds, as text. */
export const LONG_MS = "600000";

/** The end of the key, behind what all keys of its partition begin with. */
export function countKeyOf(name: string): string {
  return `:r:${createHash("sha256").update(name).digest("base64url").slice(0, 22)}`;
}
