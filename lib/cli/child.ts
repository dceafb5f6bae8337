import type { Terminal } from "./terminal.ts";

/** Runs this Deno with arguments, its output on the screen, and resolves to the exit code. */
export async function runDeno(args: readonly string[], terminal: Terminal): Promise<number> {
  terminal.err(terminal.style("bold", `$ deno ${args.join(" ")}`));
  const { code } = await new Deno.Command(Deno.execPath(), { args: [...args] }).spawn().status;
  return code;
}
