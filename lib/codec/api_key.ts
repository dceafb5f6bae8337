import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { grantsSchema } from "./grants.ts";

const START = "rnk_";
const TEXT = /^rnk_([A-Za-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
const SECRET_BYTES = 32;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const hash = z.string().regex(/^sha256:[A-Za-z0-9_-]{43}$/, "Must be sha256: and 43 characters");

/** What is kept of an API key: everything but the key. */
export const apiKeySchema = grantsSchema.extend({
  id: z.string().regex(/^[A-Za-z0-9]{12}$/, "Must be the 12 letters and digits behind rnk_"),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "Must be 1 to 64 of A-Z a-z 0-9 . _ -"),
  /** `sha256:` and the hash of the whole key, as base64url. A random key of 256 bits needs no slower hash. */
  hash,
  /** When it ends, in milliseconds since 1970. */
  expiresAt: z.int().min(0).optional(),
  /** The key before it was rotated, which is taken until then. */
  previous: z.strictObject({ hash, until: z.int().min(0) }).optional(),
});

/** A key that is in use. */
export type ApiKey = Readonly<z.infer<typeof apiKeySchema>>;

/** A new key: the text that its owner gets, and what is kept of it. */
export interface NewKey {
  /** `rnk_<id>_<secret>`; nobody can see it again. */
  readonly text: string;
  readonly id: string;
  readonly hash: string;
}

/** Whether a text looks like an API key, be it a right one or not. */
export function isKeyText(text: string): boolean {
  return text.startsWith(START);
}

/** The id in a key's text; undefined where it is none. */
export function keyIdOf(text: string): string | undefined {
  return TEXT.exec(text)?.[1];
}

/** Makes a key; one that is rotated keeps its id. */
export function newKey(id: string = newId()): NewKey {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const text = `${START}${id}_${base64url(secret)}`;
  return { text, id, hash: hashOf(text) };
}

/** What is kept of a key's text. */
export function hashOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("base64url")}`;
}

/**
 * Whether a key is taken whose text has this hash, at a time in milliseconds since 1970. Hashes are compared in constant
 * time.
 */
export function takes(
  { hash, previous, expiresAt }: ApiKey,
  { given, now }: { given: string; now: number },
): boolean {
  if (expiresAt !== undefined && now >= expiresAt) return false;
  const isCurrent = isSame(given, hash);
  const isPrevious = previous !== undefined && isSame(given, previous.hash) && now < previous.until;
  return isCurrent || isPrevious;
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function newId(): string {
  // 248 is the largest multiple of 62 in a byte: what is above would make some letters likelier
  const letters: string[] = [];
  while (letters.length < 12) {
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) {
      if (byte < 248 && letters.length < 12) letters.push(LETTERS[byte % 62] ?? "");
    }
  }
  return letters.join("");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");
}
