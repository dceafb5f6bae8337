import type { Terminal } from "../terminal.ts";

/** What installing something needs to know of and do on this machine. */
export interface Machine {
  readonly os: string;
  /** Whether this process may do everything. */
  readonly isRoot: boolean;
  /** Whether a command runs and succeeds; its output is dropped. */
  succeeds(command: readonly string[]): Promise<boolean>;
  /** Prints the command, runs it with its output on the screen, and says whether it succeeded. */
  run(command: readonly string[]): Promise<boolean>;
}

/** This machine. */
export function thisMachine(terminal: Terminal): Machine {
  return {
    os: Deno.build.os,
    isRoot: Deno.uid() === 0,
    succeeds: (command) => succeeds(command, "null"),
    run(command) {
      terminal.err(terminal.style("bold", `$ ${command.join(" ")}`));
      return succeeds(command, "inherit");
    },
  };
}

async function succeeds(
  [program = "", ...args]: readonly string[],
  output: "null" | "inherit",
): Promise<boolean> {
  try {
    const command = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: output,
      stderr: output,
    });
    return (await command.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
