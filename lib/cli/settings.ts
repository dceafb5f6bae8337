import { type Config, ConfigError, loadConfig } from "../config.ts";
import { CliError } from "./cli_error.ts";
import { describeUnknown, unknownVariables } from "./unknown_variables.ts";

/**
 * The configuration of this process's environment.
 *
 * @throws {CliError} that lists every problem by the name of its variable.
 */
export function readSettings(): Config {
  try {
    return loadConfig((name) => Deno.env.get(name), Deno.readTextFileSync);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError("Cannot start with this configuration", {
      advice: error.problems.map(({ variable, detail }) => `${variable}: ${detail}`),
    });
  }
}

/** A sentence for each variable of this process's environment that is misnamed, so that it has no effect. */
export function misnamedSettings(): string[] {
  return unknownVariables(Object.keys(Deno.env.toObject())).map(describeUnknown);
}

/** Sets this process's environment, and so its children's, to a Redis of our own. */
export function useManagedRedis(url: string): void {
  // Meant for another Redis: ours has neither users nor TLS.
  for (const name of Object.keys(Deno.env.toObject())) {
    if (/^REDIS_(USERNAME|PASSWORD|TLS_)/.test(name)) Deno.env.delete(name);
  }
  Deno.env.set("REDIS_URL", url);
}
