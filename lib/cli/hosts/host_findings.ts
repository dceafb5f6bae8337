import { ConfigError, loadConfig, type VariableName } from "../../config.ts";
import { isLoopbackHost } from "../../http/origin.ts";
import { describeRedisAddress, parseRedisUrl } from "../../redis/address.ts";
import type { RedisAddress } from "../../redis/options.ts";
import type { Finding } from "../findings/finding.ts";
import { describeUnknown, unknownVariables } from "../unknown_variables.ts";
import type { Host } from "./host.ts";

/** Environment variables by name; an empty one counts as unset. */
export type Environment = Readonly<Record<string, string>>;

/** Looks at variables as if they stood at a host: what would not work there, and what to set instead. */
export function examineForHost(host: Host, environment: Environment): Finding[] {
  const read = (name: VariableName) => environment[name]?.trim() || undefined;
  const scene: Scene = { host, read };
  return [
    ...configFindings(environment),
    ...redisFindings(scene),
    ...fileFindings(scene),
    ...authFindings(scene),
    ...streamFindings(scene),
    ...pageFindings(scene),
    ...uselessFindings(scene),
    ...unknownVariables(Object.keys(environment)).map((unknown): Finding => ({
      level: "warning",
      text: describeUnknown(unknown),
      advice: "Correct its name, or remove it",
    })),
  ];
}

interface Scene {
  readonly host: Host;
  readonly read: (name: VariableName) => string | undefined;
}

function configFindings(environment: Environment): Finding[] {
  try {
    // a file that is not here is not there either, which is said below
    loadConfig((name) => environment[name], (path) => Deno.readTextFileSync(path));
    return [{ level: "ok", text: "The configuration is valid" }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, detail }) => ({
      level: "failure",
      text: `${variable}: ${detail}`,
      advice: `Correct ${variable}`,
    }));
  }
}

function redisFindings({ host, read }: Scene): Finding[] {
  const text = read("REDIS_URL");
  if (text === undefined) {
    return [{
      level: "failure",
      text: "REDIS_URL is unset: the Redis that deno task start runs is not there",
      advice: "Set it to a Redis that can be reached from the internet, with TLS and a password",
    }];
  }
  const addresses = text.split(/\s+/).flatMap((url) => parsed(url) ?? []);
  return addresses.flatMap((address) => addressFindings(address, { host, read }));
}

function addressFindings(address: RedisAddress, { host, read }: Scene): Finding[] {
  const shown = describeRedisAddress(address);
  if (address.path !== undefined) {
    return [{
      level: "failure",
      text: `${shown} is a socket of this machine, which ${host.title} does not have`,
      advice: "Set REDIS_URL to an address that can be reached from the internet",
    }];
  }
  const names = [
    ...(address.sentinel?.endpoints ?? address.cluster ?? [{ host: address.host ?? "" }]),
  ].map((endpoint) => endpoint.host);
  const local = names.filter(isOwn);
  if (local.length > 0) {
    return [{
      level: "failure",
      text: `${shown} leads to the machine itself: at ${host.title} there is no Redis on it`,
      advice: "Set REDIS_URL to an address that can be reached from the internet",
    }];
  }
  const findings: Finding[] = [];
  if (names.some(isPrivate)) {
    findings.push({
      level: "failure",
      text: `${shown} is an address of a private network, which ${host.title} does not reach`,
      advice: "Set REDIS_URL to an address that can be reached from the internet",
    });
  }
  if (!address.tls) {
    findings.push({
      level: "warning",
      text:
        `${shown} is reached without TLS: passwords and messages cross the internet in the clear`,
      advice: "Use rediss://, rediss+sentinel:// or rediss+cluster://",
    });
  }
  if (address.password === undefined && read("REDIS_PASSWORD") === undefined) {
    findings.push({
      level: "warning",
      text: `${shown} is used without a password: whoever finds it has everything`,
      advice: "Give Runnel a user of its own, and set REDIS_USERNAME and REDIS_PASSWORD",
    });
  }
  if (findings.length > 0) return findings;
  return [{ level: "ok", text: `${shown} may be reachable from there, with TLS and a password` }];
}

const PEM_VARIABLES = [
  "REDIS_TLS_CA",
  "REDIS_TLS_CERT",
  "REDIS_TLS_KEY",
  "REDIS_SENTINEL_TLS_CA",
  "REDIS_SENTINEL_TLS_CERT",
  "REDIS_SENTINEL_TLS_KEY",
  "RUNNEL_JWT_PUBLIC_KEY",
] as const;

function fileFindings({ host, read }: Scene): Finding[] {
  const named: VariableName[] = PEM_VARIABLES.filter((name) =>
    read(name)?.startsWith("-----BEGIN") === false
  );
  if (read("RUNNEL_KEYS")?.startsWith("[") === false) named.push("RUNNEL_KEYS");
  return named.map((name) => ({
    level: "failure",
    text: `${name} names a file, and ${host.title} has none of yours`,
    advice: `Set it to the text itself: ${name}="$(cat …)"`,
  }));
}

function authFindings({ read }: Scene): Finding[] {
  const auth = read("RUNNEL_AUTH");
  if (auth === undefined) {
    return [{
      level: "failure",
      text: "RUNNEL_AUTH is unset: nobody is let in",
      advice: "Set it to keys, jwt or jwt,keys",
    }];
  }
  if (auth !== "open") return [{ level: "ok", text: `RUNNEL_AUTH lets in: ${auth}` }];
  if (read("RUNNEL_ALLOW_OPEN") !== "1") {
    return [{
      level: "failure",
      text: "RUNNEL_AUTH=open without RUNNEL_ALLOW_OPEN=1: nobody is let in",
      advice: "Set RUNNEL_AUTH to keys, jwt or jwt,keys",
    }];
  }
  return [{
    level: "warning",
    text: "RUNNEL_AUTH=open: the whole internet may publish and read everything",
    advice: "Set RUNNEL_AUTH to keys, jwt or jwt,keys",
  }];
}

/** A proxy between may cut a link on which nothing came for a minute. */
const HEARTBEAT_MOST_MS = 60_000;

function streamFindings({ host, read }: Scene): Finding[] {
  const { advised, most, why } = host.stream;
  const seconds = numberOf(read("RUNNEL_STREAM_SECONDS"));
  const findings: Finding[] = [];
  const advice = `RUNNEL_STREAM_SECONDS=${advised}: streams end with $bye then, and resume`;
  if (seconds === undefined) {
    findings.push({
      level: most === undefined ? "warning" : "failure",
      text: `RUNNEL_STREAM_SECONDS is unset, and ${why}`,
      advice,
    });
  } else if (most !== undefined && seconds >= most) {
    findings.push({
      level: "failure",
      text: `RUNNEL_STREAM_SECONDS is ${seconds}, and ${why}`,
      advice,
    });
  } else if (seconds > advised) {
    findings.push({
      level: "warning",
      text: `RUNNEL_STREAM_SECONDS is ${seconds}, which may be too long: ${why}`,
      advice,
    });
  } else findings.push({ level: "ok", text: `Streams end after ${seconds} s, and resume` });
  const heartbeatMs = numberOf(read("RUNNEL_HEARTBEAT_MS"));
  if (heartbeatMs !== undefined && heartbeatMs > HEARTBEAT_MOST_MS) {
    findings.push({
      level: "warning",
      text:
        `RUNNEL_HEARTBEAT_MS is ${heartbeatMs}: what lies between may cut a stream that is silent so long`,
      advice: "Leave it unset (15000)",
    });
  }
  return findings;
}

function pageFindings({ host, read }: Scene): Finding[] {
  const origins = read("RUNNEL_CORS_ORIGINS");
  if (origins === "*") {
    return [{
      level: "warning",
      text: "RUNNEL_CORS_ORIGINS=*: every page may use it, and none of them with cookies",
      advice: "Name the origins of your pages",
    }];
  }
  if (origins !== undefined) return [{ level: "ok", text: `Pages of ${origins} may use it` }];
  return [{
    level: host.foreignPages ? "warning" : "note",
    text: "RUNNEL_CORS_ORIGINS is unset: pages of other origins cannot use it" +
      (host.foreignPages ? ", and yours always are" : ""),
    advice: "Name the origins of your pages: RUNNEL_CORS_ORIGINS=https://app.example.com",
  }];
}

function uselessFindings({ host, read }: Scene): Finding[] {
  const own = ["PORT", "HOST", "TLS_CERT", "TLS_KEY", "RUNNEL_DATA_DIR"] as const;
  const set = own.filter((name) => read(name) !== undefined);
  if (set.length === 0) return [];
  return [{
    level: "note",
    text: `${set.join(", ")}: for deno task start alone, and without effect at ${host.title}`,
  }];
}

function parsed(url: string): RedisAddress | undefined {
  try {
    return parseRedisUrl(url);
  } catch {
    // the configuration's own finding says what is wrong
    return undefined;
  }
}

function isOwn(name: string): boolean {
  return isLoopbackHost(name) || name === "0.0.0.0" || name === "::" ||
    name === "host.docker.internal";
}

/** Whether only a network of one's own knows a name or an address. */
function isPrivate(name: string): boolean {
  const lower = name.toLowerCase();
  if (/^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)/.test(lower)) return true;
  if (lower.includes(":")) return /^f[cd]|^fe[89ab]/.test(lower);
  return !lower.includes(".") || /\.(local|internal|lan|home\.arpa|svc)$/.test(lower) ||
    lower.endsWith(".cluster.local");
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
