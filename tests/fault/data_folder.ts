/** What a Redis finds on its disk when it starts: not always what it wrote last. */
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";

const FOLDER = "appendonlydir";

/** Copies a Redis's data as they are on the disk now; gives the copy's path. */
export async function saveData(redis: RedisServer): Promise<string> {
  const copy = `${redis.dir}/copy-${crypto.randomUUID()}`;
  await copyFolder(`${redis.dir}/${FOLDER}`, copy);
  return copy;
}

/** Puts a copy in the place of a Redis's data; the server must not run. */
export async function restoreData(redis: RedisServer, copy: string): Promise<void> {
  await Deno.remove(`${redis.dir}/${FOLDER}`, { recursive: true });
  await copyFolder(copy, `${redis.dir}/${FOLDER}`);
}

/** Takes away the last bytes that a Redis wrote; the server must not run. */
export async function cutTail(redis: RedisServer, bytes: number): Promise<void> {
  for await (const { name } of Deno.readDir(`${redis.dir}/${FOLDER}`)) {
    if (!name.endsWith(".incr.aof")) continue;
    const path = `${redis.dir}/${FOLDER}/${name}`;
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, Math.max(0, size - bytes));
  }
}

/** Bytes of the file that a Redis appends to. */
export async function tailSize(redis: RedisServer): Promise<number> {
  let size = 0;
  for await (const { name } of Deno.readDir(`${redis.dir}/${FOLDER}`)) {
    if (name.endsWith(".incr.aof")) {
      size += (await Deno.stat(`${redis.dir}/${FOLDER}/${name}`)).size;
    }
  }
  return size;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
