import { describeRedisAddress } from "../../redis/address.ts";
import { toRedisFailure } from "../../redis/failure.ts";
import type { RedisOptions } from "../../redis/options.ts";
import { VisitTimeout } from "../../redis/visit.ts";
import type { Finding } from "./finding.ts";

/** Why a Redis could not be looked at, and what to do about it. Never names a password. */
export function linkFailure(error: unknown, { address }: RedisOptions): Finding {
  const message = error instanceof Error ? error.message : `${error}`;
  const code = error instanceof Error && "code" in error ? `${error.code}` : "";
  const [reason, advice] = explain(error, { message, code, tls: address.tls });
  return {
    level: "failure",
    text: `Redis cannot be used at ${describeRedisAddress(address)}: ${reason}`,
    advice,
  };
}

interface Symptom {
  readonly message: string;
  readonly code: string;
  readonly tls: boolean;
}

function explain(error: unknown, symptom: Symptom): [reason: string, advice: string] {
  const { message, code, tls } = symptom;
  if (error instanceof VisitTimeout || /ETIMEDOUT/.test(message)) {
    return [
      "nothing answers in time",
      "Look at host and port, at firewalls, and whether Redis hangs",
    ];
  }
  if (/ECONNREFUSED|ENOENT/.test(`${code} ${message}`)) {
    return [
      "nothing listens there",
      "Start it, or look at host and port (or the path) in REDIS_URL",
    ];
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(`${code} ${message}`)) {
    return ["the host's name is not known", "Look at the host in REDIS_URL"];
  }
  if (tls) return explainTls(symptom);
  return explainRefusal(error, message);
}

function explainTls({ message, code }: Symptom): [reason: string, advice: string] {
  const text = `${code} ${message}`;
  if (/altname|NotValidForName|hostname/i.test(text)) {
    return [
      "its certificate is for another name",
      "Put the name that the certificate is for into REDIS_TLS_SERVERNAME",
    ];
  }
  if (/SELF_SIGNED|UNABLE_TO|UnknownIssuer|certificate|CERT/i.test(text)) {
    return [
      `TLS failed (${message})`,
      "REDIS_TLS_CA must hold the CA that signed Redis's certificate; where Redis asks for a\n" +
      "client certificate, set REDIS_TLS_CERT and REDIS_TLS_KEY",
    ];
  }
  if (/WRONGPASS|NOAUTH|NOPERM/.test(text)) return explainRefusal(undefined, message);
  return [
    `TLS failed (${message})`,
    "Perhaps this port speaks no TLS: try redis:// in place of rediss://. Where Redis asks for a\n" +
    "client certificate, set REDIS_TLS_CERT and REDIS_TLS_KEY",
  ];
}

function explainRefusal(error: unknown, message: string): [reason: string, advice: string] {
  if (/WRONGPASS|NOAUTH|AUTH/.test(message)) {
    return [
      "it refuses the user name or password",
      "Look at REDIS_USERNAME and REDIS_PASSWORD, or at those in REDIS_URL (percent-encoded there)",
    ];
  }
  if (/NOPERM/.test(message)) {
    return [
      "the ACL user may not do this",
      "Allow it what doctor asks first: ACL SETUSER <user> +info",
    ];
  }
  return [
    error === undefined ? message : toRedisFailure(error, true).message,
    "Perhaps this port asks for TLS: try rediss:// in place of redis://. Redis's log may say more",
  ];
}
