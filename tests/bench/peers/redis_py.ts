/** redis-py, the Python client of Redis, in a process of its own. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import type { Things } from "../bench.ts";

const SCRIPT = new URL("./redis_py.py", import.meta.url).pathname;
/** A Python of the user's own may come first and lack the package that the system's has. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** What its one connection does: single PUBLISH, PUBLISH 500 a pipeline, or `listen()` to messages that wait for it. */
export type RedisPyMode = "publish" | "pipeline" | "listen";

/** Options of {@link startRedisPy}. */
export interface RedisPyOptions extends Omit<RedisPyPlan, "port"> {
  /** What is measured, by the names of the things. */
  readonly modes: Readonly<Record<string, RedisPyMode>>;
  readonly say: (text: string) => void;
}

/** Messages a second in each mode, on a Redis of their own that writes nothing to disk; none without the package. */
export async function startRedisPy(
  stack: AsyncDisposableStack,
  { modes, say, ...plan }: RedisPyOptions,
): Promise<Things> {
  const python = await findRedisPy(say);
  if (python === undefined) return {};
  const { port } = stack.use(await startRedis({ appendonly: false }));
  const things: Things = {};
  for (const [name, mode] of Object.entries(modes)) {
    things[name] = () => python.measure(mode, { ...plan, port });
  }
  return things;
}

/** What {@link RedisPy.measure} needs to know. */
export interface RedisPyPlan {
  /** Of Redis. */
  readonly port: number;
  readonly seconds: number;
  /** A message. */
  readonly text: string;
}

/** A Python that has it. */
export interface RedisPy {
  /** Its own version and those of what it runs on. */
  readonly versions: string;
  /** Messages a second after a warm-up. @throws {Error} where it fails; its own words are on stderr */
  measure(mode: RedisPyMode, plan: RedisPyPlan): Promise<number>;
}

/** Looks for a Python that has it; says how to get it where there is none. */
export async function findRedisPy(say: (text: string) => void): Promise<RedisPy | undefined> {
  for (const python of PYTHONS) {
    const versions = await versionsOf(python);
    if (versions === undefined) continue;
    return {
      versions,
      async measure(mode, plan) {
        const rate = await run<Rate>(python, { mode, ...plan }, "inherit");
        return rate.count / rate.seconds;
      },
    };
  }
  say("redis-py is missing: apt-get install python3-redis; its rows are left out");
  return undefined;
}

interface Rate {
  readonly count: number;
  readonly seconds: number;
}

async function versionsOf(python: string): Promise<string | undefined> {
  try {
    const found = await run<{ versions: string }>(python, { mode: "versions" }, "null");
    return found.versions;
  } catch {
    // No such Python, or none that has the package.
    return undefined;
  }
}

/** The caller vouches for the type of the answer. */
async function run<T>(python: string, plan: object, stderr: "inherit" | "null"): Promise<T> {
  const { success, stdout } = await new Deno.Command(python, {
    args: [SCRIPT, JSON.stringify(plan)],
    stdin: "null",
    stderr,
  }).output();
  if (!success) throw new Error("Cannot measure: redis-py failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}
