/** A server program on this machine that can be the managed Redis. */
export interface RedisBinary {
  /** Absolute path of the program. */
  readonly path: string;
  /** Its version, such as `7.0.15`. */
  readonly version: string;
}

/** What a look along PATH found. */
export interface RedisSearch {
  /** The first program that is new enough. */
  readonly usable: RedisBinary | undefined;
  /** Programs that are too old. */
  readonly tooOld: readonly RedisBinary[];
}

/** The oldest major version that will do: before it, `--save` and a stop by signal work in another way. */
export const OLDEST_REDIS = 7;

// Valkey is Redis 7.2 under another roof; distributions ship one or the other.
const PROGRAMS = ["redis-server", "valkey-server"];

/** Looks along `PATH` (or the given list of folders, in its form) for redis-server and valkey-server. */
export async function findRedis(path = Deno.env.get("PATH") ?? ""): Promise<RedisSearch> {
  const tooOld: RedisBinary[] = [];
  for (const program of PROGRAMS) {
    for (const folder of path.split(":")) {
      if (folder === "") continue;
      const binary = await inspect(`${folder}/${program}`);
      if (!binary) continue;
      if (Number.parseInt(binary.version) >= OLDEST_REDIS) return { usable: binary, tooOld };
      tooOld.push(binary);
    }
  }
  return { usable: undefined, tooOld };
}

async function inspect(path: string): Promise<RedisBinary | undefined> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) return undefined;
    const { stdout } = await new Deno.Command(path, { args: ["--version"], stdin: "null" })
      .output();
    const version = /\bv=(\d+(?:\.\d+)*)/.exec(new TextDecoder().decode(stdout))?.[1];
    return version === undefined ? undefined : { path, version };
  } catch {
    // Not there, not ours to read, or not a program for this machine: the next folder may have a better one.
    return undefined;
  }
}
