/** What the numbers were measured on. */
import os from "node:os";
import { importedVersions } from "./peers/imported_packages.ts";
import { nchanVersions } from "./peers/nchan.ts";
import { nodeVersions } from "./peers/node_packages.ts";
import { findRedisPy } from "./peers/redis_py.ts";

/** The machine and the versions of what ran on it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly deno: string;
  readonly redis: string;
  /** Milliseconds of one small append with fdatasync in the folder where Redis keeps its data: median of 200. */
  readonly fsyncMs: number;
  readonly commit: string;
  /** Names and versions of the programs and packages that it may be measured with or against, a line each. */
  readonly peers: readonly string[];
}

/** Looks at this machine. */
export async function describeMachine(): Promise<Machine> {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    deno: Deno.version.deno,
    redis: (await output("redis-server", ["--version"])).match(/v=(\S+)/)?.[1] ?? "unknown",
    fsyncMs: await fsyncMs(),
    commit: (await output("git", ["rev-parse", "--short", "HEAD"])).trim() || "unknown",
    peers: await findPeers(),
  };
}

/** Two lines: the machine, and the versions of what ran on it. */
export function formatMachine(
  { cpu, cores, memoryGiB, system, deno, redis, fsyncMs, commit }: Machine,
): [hardware: string, versions: string] {
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    `Deno ${deno}, Redis ${redis}, fdatasync ${fsyncMs.toFixed(2)} ms, commit ${commit}`,
  ];
}

async function findPeers(): Promise<string[]> {
  const python = await findRedisPy(() => {});
  const found = [
    python?.versions,
    await nchanVersions(),
    await nodeVersions(),
    await importedVersions(),
  ];
  return found.filter((versions) => versions !== undefined);
}

/** Bytes of a process that are in memory. @throws {Error} when there is no such process. */
export async function residentBytes(pid: number): Promise<number> {
  const kilobytes = Number(await output("ps", ["-o", "rss=", "-p", `${pid}`]));
  if (kilobytes > 0) return kilobytes * 1024;
  throw new Error(`Cannot read the memory of process ${pid}`);
}

/** Clock ticks of a second in /proc: of x86 and ARM alike. */
const TICKS = 100;

/** Seconds of CPU time that a process has used, to a hundredth. @throws {Error} where there is no /proc with it. */
export async function cpuSeconds(pid: number): Promise<number> {
  // Deno itself reads /proc under -A alone
  const text = await output("cat", [`/proc/${pid}/stat`]);
  // the second field is a name in parentheses and may hold anything; user and system time are the 14th and 15th
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function output(command: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    // Not installed: the header says "unknown".
    return "";
  }
}

async function fsyncMs(): Promise<number> {
  const path = await Deno.makeTempFile();
  const file = await Deno.open(path, { append: true });
  const times: number[] = [];
  for (let n = 0; n < 200; n++) {
    const start = performance.now();
    file.writeSync(new Uint8Array(300));
    file.syncDataSync();
    times.push(performance.now() - start);
  }
  file.close();
  await Deno.remove(path);
  return times.sort((a, b) => a - b)[100] ?? 0;
}
