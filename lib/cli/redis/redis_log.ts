/** The log file of one run of Redis. */
export interface RedisLog {
  readonly path: string;
  /** The last lines that this run wrote. */
  tail(): string[];
}

const LARGEST_BYTES = 4 * 1024 * 1024;

/** Prepares the log for a run that is about to start; one that has grown large is put aside, replacing the last such. */
export function openLog(path: string): RedisLog {
  let start = sizeOf(path);
  if (start > LARGEST_BYTES) {
    Deno.renameSync(path, `${path}.old`);
    start = 0;
  }
  return { path, tail: () => linesAfter(path, start).slice(-6) };
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function linesAfter(path: string, start: number): string[] {
  if (sizeOf(path) <= start) return [];
  const text = new TextDecoder().decode(Deno.readFileSync(path).subarray(start));
  return text.split("\n").filter((line) => line !== "");
}
