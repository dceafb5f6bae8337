import { createPublicKey } from "node:crypto";

/** The signature algorithms that tokens may have. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"] as const;

/** One of {@link JWT_ALGORITHMS}. */
export type JwtAlgorithm = typeof JWT_ALGORITHMS[number];

/** The one algorithm that tokens of a public key (PEM) have; undefined for a key of another kind, or none. */
export function algorithmOf(pem: string): JwtAlgorithm | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey(pem);
    if (type === "rsa") return (details?.modulusLength ?? 0) >= 2048 ? "RS256" : undefined;
    if (type === "ec" && details?.namedCurve === "prime256v1") return "ES256";
    return type === "ed25519" ? "EdDSA" : undefined;
  } catch {
    return undefined;
  }
}
