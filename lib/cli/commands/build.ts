import { refreshAll } from "../build/outputs.ts";
import type { Command } from "../command.ts";

/** `deno task build`: what is served and was written in other files. */
export const build: Command = {
  name: "build",
  usage: "build [--check]",
  summary: "Makes the modules that hold the console, the client and the documentation",
  details: "They are part of the repository, so that nobody who only runs Runnel needs this.",
  examples: ["deno task build", "deno task build --check"],
  options: { check: { help: "only say whether they are what their sources make" } },
  positionals: { least: 0, most: 0 },
  async run(input, terminal) {
    const checks = input.has("check");
    const stale = await refreshAll({ write: !checks });
    for (const path of stale) terminal.out(`${checks ? "stale" : "made "} ${path}`);
    if (stale.length === 0) terminal.out("Everything is as its sources make it");
    return checks && stale.length > 0 ? 1 : 0;
  },
};
