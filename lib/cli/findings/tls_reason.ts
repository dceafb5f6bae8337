import { explainAuthority } from "./authority.ts";
import { explainKeyPair, explainTerm } from "./client_certificate.ts";
import type { Link } from "./link.ts";
import type { PortProbe, ServerCertificate } from "./port_probe.ts";
import type { Reason } from "./reason.ts";

/** What the client said when the link failed. */
export interface Symptom {
  readonly code: string;
  readonly message: string;
}

/** Codes by which our own side refuses a server. */
const DISTRUST =
  /UNABLE_TO|SELF_SIGNED|UnknownIssuer|ERR_TLS_CERT|CERT_|NotValidForName|altname|hostname/i;
const OTHER_NAME = /altname|NotValidForName|hostname|not valid for name/i;

/** Why a TLS link failed, by what its port was seen to speak; undefined where that explains nothing. */
export function explainTls(
  link: Link,
  { symptom, probe }: { symptom: Symptom; probe: PortProbe },
): Reason | undefined {
  const { options: { tls = {} }, settings } = link;
  const own = explainKeyPair(tls, settings.tls);
  if (own !== undefined) return own;
  if (probe.tls === undefined) {
    return probe.plain ? ["it speaks no TLS, and this link does", settings.toPlain] : undefined;
  }
  const { certificate, distrust, letsIn } = probe.tls;
  const said = `${symptom.code} ${symptom.message}`;
  if (certificate !== undefined && (distrust !== undefined || DISTRUST.test(said))) {
    return explainServer(link, { certificate, said: `${said} ${distrust}` });
  }
  return letsIn ? undefined : explainRefusal(link);
}

/** Why a plain link failed, by what its port was seen to speak; undefined where that explains nothing. */
export function explainPlain({ settings }: Link, probe: PortProbe): Reason | undefined {
  return probe.tls === undefined || probe.plain
    ? undefined
    : ["it speaks TLS, and this link does not", settings.toTls];
}

function explainServer(
  link: Link,
  { certificate, said }: { certificate: ServerCertificate; said: string },
): Reason {
  const { options: { address, tls = {} }, settings } = link;
  const { validFrom, validTo, names, issuer } = certificate;
  const now = Date.now();
  if (validTo.getTime() < now) {
    return [
      `its certificate expired on ${validTo.toUTCString()}`,
      `Renew it there. Where the new one is of another authority, ${settings.tls}_CA must hold that`,
    ];
  }
  if (validFrom.getTime() > now) {
    return [
      `its certificate is not valid before ${validFrom.toUTCString()}`,
      "Look at the clocks of both machines. Where it is replaced by one of another authority,\n" +
      `${settings.tls}_CA must hold that`,
    ];
  }
  if (OTHER_NAME.test(said)) {
    return [
      `its certificate is for ${names}, not for ${tls.servername ?? address.host}`,
      `Put a name that the certificate is for into ${settings.tls}_SERVERNAME`,
    ];
  }
  return explainAuthority(tls.ca, { issuer, variable: `${settings.tls}_CA` });
}

function explainRefusal({ options: { tls = {} }, settings }: Link): Reason {
  if (tls.cert === undefined) {
    return [
      "it asks for a client certificate, and this link has none",
      `Set ${settings.tls}_CERT and ${settings.tls}_KEY`,
    ];
  }
  return explainTerm(tls.cert, settings.tls) ?? [
    "it does not accept our client certificate",
    `${settings.tls}_CERT must be signed by the authority that it trusts (tls-ca-cert-file there)`,
  ];
}
