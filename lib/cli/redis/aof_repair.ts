import { join } from "node:path";
import { scanAof } from "./aof_scan.ts";

/** What was taken from the end of a file. */
export interface CutTail {
  /** The file that Redis goes on with. */
  readonly path: string;
  /** How many bytes were taken. */
  readonly bytes: number;
  /** The file in which they are kept. */
  readonly keptIn: string;
}

const FOLDER = "appendonlydir";
const MANIFEST = "appendonly.aof.manifest";

/**
 * Makes the data that a killed Redis left behind end with a whole write. No Redis may run on them.
 *
 * Redis itself cuts a torn file behind the last whole command, also in the middle of a script's writes (seen with 7.0;
 * the same in later ones). It does not apply that half then, but the file goes on behind it, and at the next start the
 * half is taken for a part of the write that follows: messages appear that were since stored again. With `appendfsync
 * always` nobody has been told of a write that is not whole, so that all of it can go. A file that is not torn but
 * wrong is left as it is, for Redis to refuse.
 *
 * @param dir the data folder of the Redis.
 * @returns what was cut; undefined where nothing had to be.
 * @throws {Error} where the file system refuses.
 */
export async function cutTornTail(dir: string): Promise<CutTail | undefined> {
  const path = await lastFile(join(dir, FOLDER));
  if (path === undefined) return undefined;
  const { state, whole, size } = await scanAof(path);
  if (state !== "torn") return undefined;
  using file = await Deno.open(path, { read: true, write: true });
  const keptIn = `${path}.torn-${whole}`;
  await keep(file, whole, keptIn);
  await file.truncate(whole);
  await file.syncData();
  return { path, bytes: size - whole, keptIn };
}

/** A cut in words. */
export function describeCut({ path, bytes, keptIn }: CutTail): string {
  return `Redis was ended in the middle of a write: took the last ${bytes} bytes from ${path}, ` +
    `which nobody had an answer for, and kept them in ${keptIn}`;
}

/** The file that Redis appended to last, if there is any. */
async function lastFile(folder: string): Promise<string | undefined> {
  const manifest = await Deno.readTextFile(join(folder, MANIFEST)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const names = [...manifest.matchAll(/^file (\S+) seq \d+ type i/gm)].map(([, name]) => name);
  const last = names.at(-1);
  return last === undefined ? undefined : join(folder, last);
}

async function keep(file: Deno.FsFile, from: number, path: string): Promise<void> {
  await file.seek(from, Deno.SeekMode.Start);
  using copy = await Deno.open(path, { create: true, write: true, truncate: true, mode: 0o600 });
  const bytes = new Uint8Array(64 << 10);
  for (let read; (read = await file.read(bytes)) !== null;) {
    for (let written = 0; written < read;) {
      written += await copy.write(bytes.subarray(written, read));
    }
  }
  await copy.syncData();
}
