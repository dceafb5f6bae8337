/** What `deno.json` lets each task do, so that tests run things under the same permissions. */
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The command lines of all tasks, by name. */
export const TASKS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(readTasks()).map((
    [name, task],
  ) => [name, typeof task === "string" ? task : task.command]),
);

/** What `deno task` alone says of each task, by name; tasks without a word are left out. */
export const TASK_DESCRIPTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(readTasks()).flatMap((
    [name, task],
  ) => typeof task === "string" ? [] : [[name, task.description]]),
);

type Task = string | { readonly description: string; readonly command: string };

function readTasks(): Record<string, Task> {
  return JSON.parse(Deno.readTextFileSync(fileURLToPath(new URL("deno.json", ROOT)))).tasks;
}

/**
 * What stands between `deno run` or `deno serve` and the file in a task's command line.
 *
 * @throws {RangeError} where no such task runs a file or serves one.
 */
export function taskFlags(name: string): string[] {
  const [, flags] = /^deno (?:run|serve) ((?:'?-\S+ ?)+)/.exec(TASKS[name] ?? "") ?? [];
  if (flags === undefined) throw new RangeError(`deno.json has no task ${name} with flags`);
  return flags.trim().split(" ").map((flag) => flag.replace(/^'(.*)'$/, "$1"));
}
