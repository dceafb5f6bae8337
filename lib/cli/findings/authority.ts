import { readCertificates } from "../../codec/pem.ts";
import type { Reason } from "./reason.ts";

/** Why a server's certificate is not taken for one that an authority to trust has signed. */
export function explainAuthority(
  ca: string | undefined,
  { issuer, variable }: { issuer: string; variable: string },
): Reason {
  if (ca === undefined) {
    return [
      `this machine does not know the authority that signed its certificate (${issuer})`,
      `Put that authority's certificate into ${variable}`,
    ];
  }
  const expired = readCertificates(ca).find(({ validTo }) => Date.parse(validTo) < Date.now());
  if (expired !== undefined) {
    return [
      `the authority that ${variable} holds expired on ${expired.validTo}`,
      `Put its new certificate into ${variable}`,
    ];
  }
  return [
    `its certificate is not signed by the authority that ${variable} holds, but by ${issuer}`,
    `Put the certificate of the authority that signed it into ${variable}`,
  ];
}
