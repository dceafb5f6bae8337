import { type Config, ConfigError, loadConfig } from "../../config.ts";
import { RunnelError } from "../../errors.ts";
import { MoveFailure } from "../../redis/move/partition_move.ts";
import { Reshard, type ReshardResult } from "../../redis/move/reshard.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { failureReasons } from "../findings/failure_reasons.ts";
import { readRedisSettings, type RedisSettings } from "../redis_settings.ts";
import { StopSignals } from "../stop_signals.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task reshard`: spreads topics over other Redis servers. */
export const reshard: Command = {
  name: "reshard",
  usage: 'reshard --to "<url> <url> …"',
  summary: "Spreads the topics over other Redis, while they are in use",
  details: `
REDIS_URL and the variables beside it lead to where the topics are now; unset, to the Redis of deno task start.
Every server is told by what is stored in Redis, so that none has to be restarted: but those that start later need the
new REDIS_URL. Whatever interrupts it, it can be run again: nothing is lost, and what has moved has moved.
Where there is one partition, as on one Redis, it is split into as many as asked for; that number is for good.`,
  examples: [
    'deno task reshard --to "redis://10.0.0.1 redis://10.0.0.2"',
    'REDIS_URL=redis://10.0.0.1 deno task reshard --to "redis://10.0.0.1 redis://10.0.0.2" --json',
  ],
  options: {
    to: { value: "<urls>", help: "Where the topics are to be: like REDIS_URL, all of them" },
    partitions: { value: "<n>", help: "Split one partition into so many (16 on several Redis)" },
    json: { help: "Print what was done as JSON" },
  },
  positionals: { least: 0, most: 0 },
  async run(input, terminal) {
    using stop = new StopSignals(() => Deno.exit(130));
    const { from, to } = readPlan(input);
    const { prefix } = from;
    await using work = new Reshard({
      from: from.redis,
      to: to.redis ?? [],
      prefix,
      partitions: to.partitions,
      tell: (text) => terminal.err(text),
      signal: stop.signal,
    });
    try {
      tell(await work.run(), { input, terminal });
      return 0;
    } catch (error) {
      const advice = [
        ...await failureReasons(error, { shards: [...from.redis, ...to.redis ?? []], prefix }),
        work.hasBegun
          ? "Nothing is lost: run the same command again to go on"
          : "Nothing has moved",
      ];
      if (stop.signal.aborted) throw new CliError("Stopped half-way", { exitCode: 130, advice });
      if (!(error instanceof MoveFailure || error instanceof RunnelError)) throw error;
      throw new CliError(error.message, { advice });
    }
  },
};

function readPlan(input: CommandInput): { from: RedisSettings; to: Config } {
  const urls = input.text("to");
  if (urls === undefined) {
    throw new CliError("Cannot reshard: --to is missing", {
      exitCode: 2,
      advice: ['For example: deno task reshard --to "redis://10.0.0.1 redis://10.0.0.2"'],
    });
  }
  const from = readRedisSettings();
  return { from, to: readTarget({ REDIS_URL: urls, RUNNEL_PARTITIONS: input.text("partitions") }) };
}

function readTarget(changes: Readonly<Record<string, string | undefined>>): Config {
  try {
    return loadConfig(
      (name) => Object.hasOwn(changes, name) ? changes[name] : env(name),
      Deno.readTextFileSync,
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError("Cannot move topics there", {
      exitCode: 2,
      advice: error.problems.map(({ variable, detail }) =>
        `${OPTION_OF[variable] ?? variable}: ${detail}`
      ),
    });
  }
}

const OPTION_OF: Readonly<Record<string, string>> = {
  REDIS_URL: "--to",
  RUNNEL_PARTITIONS: "--partitions",
};

function env(name: string): string | undefined {
  return Deno.env.get(name);
}

function tell(
  { partitions, moved, longestPauseMs, shards }: ReshardResult,
  { input, terminal }: { input: CommandInput; terminal: Terminal },
): void {
  const urls = shards.map(({ url }) => url);
  const pauseMs = Math.round(longestPauseMs);
  if (input.has("json")) {
    return terminal.out(JSON.stringify({ partitions, moved, longestPauseMs: pauseMs, urls }));
  }
  terminal.out(`Done: ${partitions} partitions on ${urls.length} Redis, of which ${moved} moved.`);
  terminal.out(`Publishing to one paused for ${pauseMs} ms at the most.`);
  terminal.out("What starts from now on needs this, with user names and passwords as before:");
  terminal.out(`  REDIS_URL="${urls.join(" ")}"`);
}
