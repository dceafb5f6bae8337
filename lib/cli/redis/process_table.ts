/** Processes that may not be our own children, looked at from outside. */
import process from "node:process";

/** Whether a process with this id runs; one that has ended and waits for its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process: there, but not ours to signal.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return stateOf(pid) !== "Z";
}

/** The command line of a process, undefined where there is none with this id. */
export function commandLine(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  if (Deno.build.os === "linux") {
    // Slim images have no ps.
    return readText(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim();
  }
  const ps = new Deno.Command("ps", { args: ["-o", "args=", "-p", `${pid}`], stdin: "null" });
  const { success, stdout } = ps.outputSync();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

function stateOf(pid: number): string | undefined {
  // "123 (redis-server) S …": the name may itself hold parentheses.
  return readText(`/proc/${pid}/stat`)?.match(/.*\) (\w)/s)?.[1];
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // Deno itself reads /proc under -A alone.
    if (error instanceof Deno.errors.NotCapable) return readByCommand(path);
    // No such process, or a system without /proc.
    return undefined;
  }
}

function readByCommand(path: string): string | undefined {
  const cat = new Deno.Command("cat", { args: [path], stdin: "null", stderr: "null" });
  const { success, stdout } = cat.outputSync();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

/** Sends a signal; a process that is gone already is fine. */
export function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
