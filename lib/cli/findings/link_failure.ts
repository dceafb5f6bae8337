import { toRedisFailure } from "../../redis/failure.ts";
import { VisitTimeout } from "../../redis/visit.ts";
import type { Finding } from "./finding.ts";
import type { Link } from "./link.ts";
import { probePort } from "./port_probe.ts";
import type { Reason } from "./reason.ts";
import { explainPlain, explainTls, type Symptom } from "./tls_reason.ts";

/** Why a link came to nothing, and what to do about it. Never names a password. */
export async function linkFailure(error: unknown, link: Link): Promise<Finding> {
  const [reason, advice] = await explainLink(error, link);
  const text = `${link.subject} cannot be used at ${link.where}: ${reason}`;
  return { level: "failure", text, advice, where: link.where };
}

/**
 * Why a link came to nothing, and what to do about it. Where the error itself does not tell, the port is tried with TLS
 * and without, which takes no longer than {@link probePort}.
 */
export async function explainLink(error: unknown, link: Link): Promise<Reason> {
  const message = error instanceof Error ? error.message : `${error}`;
  const code = error instanceof Error && "code" in error ? `${error.code}` : "";
  const symptom = { code, message };
  const known = explainAddress(symptom, link) ?? explainCredentials(symptom, link);
  if (known !== undefined) return known;
  const { address, tls } = link.options;
  const { host, port } = address;
  if (host !== undefined && port !== undefined) {
    const probe = await probePort({ host, port }, { tls });
    const found = address.tls ? explainTls(link, { symptom, probe }) : explainPlain(link, probe);
    if (found !== undefined) return found;
  }
  return explainRest(error, { symptom, link });
}

function explainAddress({ code, message }: Symptom, { settings }: Link): Reason | undefined {
  if (/ECONNREFUSED|ENOENT/.test(`${code} ${message}`)) {
    return [
      "nothing listens there",
      `Start it, or look at host and port (or the path) in ${settings.address}`,
    ];
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(`${code} ${message}`)) {
    return ["the host's name is not known", `Look at the host in ${settings.address}`];
  }
  return undefined;
}

function explainCredentials({ message }: Symptom, { settings }: Link): Reason | undefined {
  if (/WRONGPASS|NOAUTH|\bAUTH\b/.test(message)) {
    return ["it refuses the user name or password", settings.credentials];
  }
  if (/NOPERM/.test(message)) {
    return [
      "the ACL user may not do this",
      "Allow it what doctor asks first: ACL SETUSER <user> +info +ping",
    ];
  }
  return undefined;
}

function explainRest(
  error: unknown,
  { symptom: { message }, link }: { symptom: Symptom; link: Link },
): Reason {
  const { options: { address }, settings } = link;
  if (error instanceof VisitTimeout || /ETIMEDOUT|Command timed out/.test(message)) {
    return [
      "nothing answers in time",
      `Look at host and port in ${settings.address}, at firewalls, and whether it hangs`,
    ];
  }
  if (address.tls) {
    return [
      `TLS failed (${message})`,
      `Look at ${settings.tls}_CA, _CERT, _KEY and _SERVERNAME, and at its log`,
    ];
  }
  return [toRedisFailure(error, true).message, "Its log may say more"];
}
