import { createPrivateKey, type KeyObject } from "node:crypto";
import { readCertificates } from "../../codec/pem.ts";
import type { RedisTls } from "../../redis/options.ts";
import type { Reason } from "./reason.ts";

/** Why our own certificate and key cannot be used at all; undefined where they can. */
export function explainKeyPair(
  { cert, key }: RedisTls,
  variables: string,
): Reason | undefined {
  if (cert === undefined || key === undefined) return undefined;
  const own = readKey(key);
  if (own === undefined) {
    return [
      "the key of our client certificate cannot be read",
      `${variables}_KEY must hold its private key in PEM, without a passphrase`,
    ];
  }
  if (readCertificates(cert)[0]?.checkPrivateKey(own) === false) {
    return [
      "our client certificate and its key do not belong together",
      `${variables}_KEY must hold the private key of the certificate in ${variables}_CERT`,
    ];
  }
  return undefined;
}

/** Why our own certificate is not accepted, as far as it tells itself; undefined where it does not. */
export function explainTerm(cert: string, variables: string): Reason | undefined {
  const { validFrom, validTo } = readCertificates(cert)[0] ?? {};
  if (validFrom === undefined || validTo === undefined) return undefined;
  if (new Date(validTo).getTime() < Date.now()) {
    return [
      `our client certificate expired on ${validTo}`,
      `Put a new one into ${variables}_CERT, and its key into ${variables}_KEY`,
    ];
  }
  if (new Date(validFrom).getTime() > Date.now()) {
    return [
      `our client certificate is not valid before ${validFrom}`,
      `Look at the clock of this machine, or put another one into ${variables}_CERT and _KEY`,
    ];
  }
  return undefined;
}

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
