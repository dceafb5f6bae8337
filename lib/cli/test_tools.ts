import { installPackage, type PackageNames } from "./packages.ts";
import type { Machine } from "./redis/machine.ts";
import type { Terminal } from "./terminal.ts";

/** A program that tests run, besides a Redis. */
export interface TestTool {
  readonly name: string;
  /** Resolves to its path, undefined where it is not here. */
  find(): string | undefined;
  readonly packages: PackageNames;
  /** What becomes of the tests without it. */
  readonly without: string;
}

/** The browser that the browser tests drive. */
export const CHROMIUM: TestTool = {
  name: "Chromium",
  find: findChromium,
  packages: { apt: "chromium", brew: ["--cask", "chromium"] },
  without: "the tests in tests/browser are skipped",
};

const COMMANDS: readonly TestTool[] = [
  command("openssl", "the tests of TLS fail"),
  command("curl", "the tests that run it fail"),
];

/** All programs that tests run, besides a Redis. */
export const TEST_TOOLS: readonly TestTool[] = [...COMMANDS, CHROMIUM];

/** Options of {@link provideTestTools}. */
export interface ProvideToolsOptions {
  readonly machine: Machine;
  readonly terminal: Terminal;
  /** Which ones. */
  readonly tools: readonly TestTool[];
}

/**
 * Installs those of the tools that are not here. Resolves to the ones that cannot be had: it has been told by then what
 * comes of it and how to get them, in lines that begin with `missing:`.
 */
export async function provideTestTools(options: ProvideToolsOptions): Promise<TestTool[]> {
  const { machine, terminal, tools } = options;
  const lacking: TestTool[] = [];
  for (const tool of tools) {
    if (tool.find() !== undefined) continue;
    terminal.err(`There is no ${tool.name} on this machine: installing it for the tests.`);
    const reason = await installPackage(machine, tool.packages);
    if (tool.find() !== undefined) continue;
    lacking.push(tool);
    terminal.err(
      terminal.style("yellow", `missing: ${tool.name}, so that ${tool.without}`) +
        `\n  It is not here and cannot be installed: ${reason ?? "the package does not have it"}` +
        `\n  Debian: sudo apt-get install ${tool.packages.apt}` +
        `\n  macOS:  brew install ${tool.packages.brew.join(" ")}`,
    );
  }
  return lacking;
}

/** Path of the Chromium (or Chrome) of this machine; `CHROMIUM` names another one than PATH has. */
export function findChromium(): string | undefined {
  const named = Deno.env.get("CHROMIUM");
  if (named) return isFile(named) ? named : undefined;
  const programs = ["chromium", "chromium-browser", "google-chrome"];
  const onPath = programs.map(findProgram).find((path) => path !== undefined);
  return onPath ?? MAC_APPS.find(isFile);
}

const MAC_APPS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Path of a program along PATH. */
export function findProgram(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  return folders.map((folder) => `${folder}/${name}`).find(isFile);
}

function command(name: string, without: string): TestTool {
  return { name, find: () => findProgram(name), packages: { apt: name, brew: [name] }, without };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Not there, or not ours to look at.
    return false;
  }
}
