import { runDeno } from "../child.ts";
import type { Command } from "../command.ts";
import { runTests } from "./test.ts";

/** `deno task ok`: the one gate. */
export const ok: Command = {
  name: "ok",
  usage: "ok",
  summary: "The gate before a change is handed in: fmt, lint, check, test",
  examples: ["deno task ok"],
  options: {},
  positionals: { least: 0, most: 0 },
  async run(_input, terminal) {
    const failed: string[] = [];
    for (const args of [["fmt", "--check"], ["lint"], ["check", "--frozen"]]) {
      if (await runDeno(args, terminal) !== 0) failed.push(args[0]!);
    }
    if (await runTests([], terminal) !== 0) failed.push("test");
    if (failed.length === 0) {
      terminal.out(terminal.style("green", "All is well"));
      return 0;
    }
    terminal.err(terminal.style("red", `Not well: ${failed.join(", ")}`));
    return 1;
  },
};
