import type { Config } from "../../config.ts";
import { isLoopbackHost } from "../../http/origin.ts";
import { surveyKeys } from "../../redis/key_survey.ts";
import type { Finding } from "./finding.ts";

/** Says who is let in, and whether that is meant. It changes nothing in Redis. */
export async function examineAuth(config: Config): Promise<Finding[]> {
  const { auth: { mode, allowOpen, keys, jwt }, server: { host } } = config;
  if (mode === "credentials") {
    const kinds = jwt === undefined ? [] : ["tokens (JWT)"];
    return keys === undefined ? [letsIn(kinds)] : await keyFindings(config, kinds);
  }
  const isLocal = isLoopbackHost(host);
  if (mode === "none") return [isLocal ? UNSET : NOBODY];
  if (isLocal && !allowOpen) {
    return [{ level: "note", text: `RUNNEL_AUTH=open: whoever reaches ${host} may do everything` }];
  }
  if (!allowOpen) return [UNACKNOWLEDGED];
  return [{
    level: "warning",
    text: "RUNNEL_AUTH=open: whoever reaches the server may publish and read everything",
    advice: "Set RUNNEL_AUTH to keys, jwt or jwt,keys, unless something before it decides",
  }];
}

const UNSET: Finding = {
  level: "note",
  text: "RUNNEL_AUTH is unset: deno task start is open to whoever reaches it here, " +
    "and a function that stands elsewhere lets nobody in",
  advice: "For the latter set RUNNEL_AUTH to keys, jwt or jwt,keys",
};

const NOBODY: Finding = {
  level: "warning",
  text: "RUNNEL_AUTH is unset, so nobody is let in",
  advice: "Set it to keys, jwt or jwt,keys",
};

const UNACKNOWLEDGED: Finding = {
  level: "warning",
  text: "RUNNEL_AUTH=open lets nobody in where others can reach the server",
  advice: "RUNNEL_ALLOW_OPEN=1 acknowledges it; keys, jwt or jwt,keys in its place protect topics",
};

async function keyFindings(
  { auth: { keys = [] }, redis, prefix }: Config,
  kinds: readonly string[],
): Promise<Finding[]> {
  // without REDIS_URL they are in the Redis of deno task start, which need not run now
  if (redis === undefined) return [letsIn([...kinds, "API keys"])];
  let stored: number;
  try {
    stored = (await surveyKeys(redis, prefix)).length;
  } catch {
    // why Redis cannot be asked is said where it is looked at itself
    return [letsIn([...kinds, "API keys"])];
  }
  const count = keys.length + stored;
  if (count > 0) return [letsIn([...kinds, `${count} API key${count === 1 ? "" : "s"}`])];
  return [{
    level: "warning",
    text: "RUNNEL_AUTH takes API keys, and there are none",
    advice: 'deno task keys create <name> --publish "**" --subscribe "**" makes one',
  }];
}

function letsIn(kinds: readonly string[]): Finding {
  return { level: "ok", text: `RUNNEL_AUTH lets in: ${kinds.join(", ")}` };
}
