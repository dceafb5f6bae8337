import { parseRedisUrl } from "../../redis/address.ts";
import { type Config, ConfigError, loadConfig } from "../../config.ts";
import { Api, readProblem, URL_OPTION } from "../api.ts";
import { CliError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { examineAuth } from "../findings/auth_findings.ts";
import { type Finding, printFinding } from "../findings/finding.ts";
import { examineAll } from "../findings/examination.ts";
import { type Link, serverLink } from "../findings/link.ts";
import { examine } from "../findings/redis_findings.ts";
import { readRecord } from "../redis/data_folder.ts";
import { ManagedRedis } from "../redis/managed_redis.ts";
import { redisUrl } from "../redis/listening.ts";
import { findRedis, OLDEST_REDIS } from "../redis/redis_binary.ts";
import { misnamedSettings } from "../settings.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task doctor`: what is wrong here, and what to do about it. */
export const doctor: Command = {
  name: "doctor",
  usage: "doctor",
  summary: "Checks configuration, Redis and server, and says what to do",
  details: `
The exit code is 1 where something keeps Runnel from working or from keeping its promises.`,
  examples: [
    "deno task doctor",
    "REDIS_URL=redis://db.example:6379 deno task doctor",
    "deno task doctor --json | jq 'select(.level != \"ok\")'",
  ],
  options: {
    json: { help: "Print the findings as JSON, one a line" },
    url: URL_OPTION,
  },
  positionals: { least: 0, most: 0 },
  async run(input, terminal) {
    const tell = (findings: readonly Finding[]) => {
      for (const finding of findings) {
        if (input.has("json")) terminal.out(JSON.stringify(finding));
        else printFinding(finding, terminal);
      }
      return findings.some(({ level }) => level === "failure");
    };
    const settings = readConfiguration();
    let failed = tell([denoFinding(), ...settings.findings, ...misnamed()]);
    if (settings.config) {
      failed = tell(await lookAtRedis(settings.config, terminal)) || failed;
      failed = tell(await examineAuth(settings.config)) || failed;
    }
    failed = tell([await serverFinding(new Api(input.text("url")))]) || failed;
    return failed ? 1 : 0;
  },
};

function denoFinding(): Finding {
  const text = `Deno is ${Deno.version.deno}`;
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  // The functions run on 2.1 and newer; the commands use what 2.9 has.
  if (major > 2 || (major === 2 && minor >= 9)) return { level: "ok", text };
  return {
    level: "warning",
    text: `${text}: deno task needs 2.9 or newer`,
    advice: "deno upgrade, or npx -y deno@2.9.6 task …",
  };
}

function readConfiguration(): { config?: Config; findings: Finding[] } {
  try {
    const config = loadConfig((name) => Deno.env.get(name), Deno.readTextFileSync);
    return { config, findings: [{ level: "ok", text: "The configuration is valid" }] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const findings = error.problems.map(({ variable, detail }): Finding => ({
      level: "failure",
      text: `${variable}: ${detail}`,
      advice: `Correct the environment variable ${variable}`,
    }));
    return { findings };
  }
}

function misnamed(): Finding[] {
  return misnamedSettings().map((text) => ({
    level: "warning",
    text,
    advice: "Correct its name, or remove it",
  }));
}

async function lookAtRedis(config: Config, terminal: Terminal): Promise<Finding[]> {
  if (config.redis) return await examineAll(config.redis, config);
  const { usable, tooOld } = await findRedis();
  if (!usable) {
    const old = tooOld.map(({ path, version }) => `${path} is ${version}`).join(", ");
    return [{
      level: "warning",
      text: `There is no redis-server or valkey-server ${OLDEST_REDIS} or newer here ${old}`.trim(),
      advice: "deno task start installs one where it can; or set REDIS_URL",
    }];
  }
  const found: Finding = { level: "ok", text: `${usable.path} is version ${usable.version}` };
  const { dataDir, prefix } = config;
  const record = readRecord(dataDir);
  if (record) {
    const running = await examine(localLink(redisUrl(record.address)), { prefix });
    if (running.every(({ text }) => !text.includes("cannot be used"))) return [found, ...running];
  }
  return [found, ...await tryOut(usable, { config, terminal })];
}

/** Starts a Redis on a folder of its own for a moment, to see that it works on this machine. */
async function tryOut(
  binary: { path: string; version: string },
  { config, terminal }: { config: Config; terminal: Terminal },
): Promise<Finding[]> {
  const note: Finding = {
    level: "note",
    text:
      "REDIS_URL is not set and the managed Redis is not running: one was started to try it out",
  };
  const dataDir = await Deno.makeTempDir({ prefix: "runnel-doctor-" });
  try {
    await using redis = await ManagedRedis.start({ dataDir, binary, terminal });
    return [note, ...await examine(localLink(redis.url), { prefix: config.prefix })];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ level: "failure", text: error.message, advice: error.advice.join("\n") }];
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

function localLink(url: string): Link {
  const address = parseRedisUrl(url);
  return serverLink({ address, connections: 1, connectTimeoutMs: 1_000, commandTimeoutMs: 1_500 });
}

/** What a server says that works, perhaps not with all of several Redis. */
function readyFinding(api: Api, health: unknown): Finding {
  // the API's contract; another server's answer has none of this
  const { status, shards = [] } = health as { status?: string; shards?: ShardHealth[] };
  if (status !== "degraded") return { level: "ok", text: `The server at ${api.base} is ready` };
  const down = shards.filter((shard) => shard.status === "down")
    .map(({ shard, code }) => `${shard} of ${shards.length} (${code})`);
  return {
    level: "warning",
    text: `The server at ${api.base} cannot use Redis ${
      down.join(", ")
    }: the topics there answer 503`,
    advice: "Run doctor with its REDIS_URL: it names the one that cannot be used",
  };
}

interface ShardHealth {
  readonly shard: number;
  readonly status: string;
  readonly code?: string;
}

async function serverFinding(api: Api): Promise<Finding> {
  let response: Response;
  try {
    response = await api.attempt("health/ready", { signal: AbortSignal.timeout(3_000) });
  } catch (error) {
    if (!(error instanceof CliError) && !(error instanceof DOMException)) throw error;
    return {
      level: "note",
      text: `No server answers at ${api.base}`,
      advice: "deno task start runs one; RUNNEL_URL names another",
    };
  }
  if (response.ok) return readyFinding(api, await response.json().catch(() => ({})));
  const { code = "", detail = response.statusText } = await readProblem(response);
  return {
    level: "failure",
    text: `The server at ${api.base} is not ready: ${detail} (${response.status} ${code})`,
    advice: "Its log has the reason; where it runs elsewhere, run doctor with its environment",
  };
}
