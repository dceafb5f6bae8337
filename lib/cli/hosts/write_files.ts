import { dirname, join } from "node:path";
import { CliError } from "../cli_error.ts";
import type { HostFile } from "./host.ts";

/** What became of a file. */
export interface WrittenFile {
  readonly path: string;
  /** `same` was there already, word for word. */
  readonly state: "written" | "same" | "overwritten";
}

/**
 * Writes files below a folder: all of them, or none where that would change one that is there.
 *
 * @param options.overwrite Whether it may change those too.
 * @throws {CliError} It names the files that differ, or says why one cannot be written.
 */
export async function writeFiles(
  root: string,
  files: readonly HostFile[],
  { overwrite }: { readonly overwrite: boolean },
): Promise<WrittenFile[]> {
  const present = await Promise.all(files.map(({ path }) => textOf(join(root, path))));
  const differing = files.filter(({ text }, i) => present[i] !== undefined && present[i] !== text);
  if (differing.length > 0 && !overwrite) {
    throw new CliError("Cannot write: other files are there already, and nothing was changed", {
      advice: [
        ...differing.map(({ path }) => join(root, path)),
        "Look at them; --force overwrites them, or --write another folder and compare",
      ],
    });
  }
  const written: WrittenFile[] = [];
  for (const [i, { path, text }] of files.entries()) {
    const full = join(root, path);
    if (present[i] === text) written.push({ path: full, state: "same" });
    else {
      await write(full, text);
      written.push({ path: full, state: present[i] === undefined ? "written" : "overwritten" });
    }
  }
  return written;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new CliError(`Cannot look at ${path}: ${reason(error)}`, { cause: error });
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new CliError(`Cannot write ${path}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}
