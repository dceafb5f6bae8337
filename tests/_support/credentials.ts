/** Tokens and keys for tests. */
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { type ApiKey, newKey } from "../../lib/codec/api_key.ts";
import type { Grants } from "../../lib/codec/grants.ts";

/** A secret that is long enough for HS256. */
export const SECRET = "a secret of thirty-two bytes or more";

/** The environment of a Runnel that takes tokens which {@link token} makes. */
export const JWT_ENV = { RUNNEL_AUTH: "jwt", RUNNEL_JWT_SECRET: SECRET } as const;

/** Everything but managing. */
export const ALL: Grants = { publish: ["**"], subscribe: ["**"], consume: ["**"] };

/** Options of {@link token}. */
export interface TokenOptions {
  /** @default "somebody" */
  readonly sub?: string;
  /** Seconds from now. @default 600 */
  readonly endsIn?: number;
  /** Further claims, which win; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** @default {@link SECRET} with HS256 */
  readonly key?: CryptoKey | Uint8Array;
  readonly header?: Readonly<Record<string, unknown>> & { readonly alg?: string };
}

/** A signed token that grants something. */
export async function token(grants: Grants, options: TokenOptions = {}): Promise<string> {
  const { sub = "somebody", endsIn = 600, claims = {}, header = {} } = options;
  const exp = Date.now() / 1000 + endsIn;
  const key = options.key ?? new TextEncoder().encode(SECRET);
  return await new SignJWT({ sub, exp, runnel: grants, ...claims })
    .setProtectedHeader({ alg: "HS256", ...header })
    .sign(key);
}

/** The header that shows a token. */
export function bearer(text: string): { authorization: string } {
  return { authorization: `Bearer ${text}` };
}

/** An API key with its text. */
export function apiKey(name: string, grants: Grants): { text: string; key: ApiKey } {
  const { text, id, hash } = newKey();
  return { text, key: { id, name, hash, ...grants } };
}

/** Keys that may do everything, by their names: the variables that let them in, and what each sends. */
export function configureKeys<N extends string>(names: readonly N[]): {
  readonly env: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<N, Readonly<Record<string, string>>>>;
} {
  const keys = names.map((name) => apiKey(name, { ...ALL, manage: true }));
  const kept = keys.map(({ key }) => key);
  const headers = keys.map(({ key, text }) => [key.name, bearer(text)]);
  return {
    env: { RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify(kept) },
    // Object.fromEntries forgets the names
    headers: Object.fromEntries(headers) as Record<N, Record<string, string>>,
  };
}

/** A pair of keys whose public half is also there as PEM text. */
export async function keyPair(
  algorithm: "RS256" | "ES256" | "EdDSA",
): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey; pem: string }> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { privateKey, publicKey, pem: await exportSPKI(publicKey) };
}
