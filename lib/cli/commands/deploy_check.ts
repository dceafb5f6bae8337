import { relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { type Finding, printFinding } from "../findings/finding.ts";
import { denoDeploy } from "../hosts/deno_deploy.ts";
import type { Host, HostPlace } from "../hosts/host.ts";
import { examineForHost } from "../hosts/host_findings.ts";
import { netlify } from "../hosts/netlify.ts";
import { supabase } from "../hosts/supabase.ts";
import { writeFiles, type WrittenFile } from "../hosts/write_files.ts";
import { nearest } from "../nearest.ts";
import type { Terminal } from "../terminal.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const HOSTS: readonly Host[] = [denoDeploy, supabase, netlify];
const NAMES = HOSTS.map(({ name }) => name);

/** `deno task deploy:check`: what hosts need, and whether this environment has it. */
export const deployCheck: Command = {
  name: "deploy:check",
  usage: `deploy:check [${NAMES.join("|")}]`,
  summary: "Says what Deno Deploy, Supabase and Netlify need, and checks it",
  details: `
It looks at the variables of this environment as if they stood there, and reaches nothing: neither Redis nor the host.
The exit code is 1 where something would keep Runnel from working there. With --write it also makes the files that the
host needs. They have been run on this machine with the Deno that the hosts have, and never on the hosts themselves.`,
  examples: [
    "deno task deploy:check",
    "deno run --env-file=.env.production -A lib/cli/main.ts deploy:check deno",
    "deno task deploy:check supabase --write .  # its files, in this folder",
    "deno task deploy:check netlify --json | jq '.findings[] | select(.level == \"failure\")'",
  ],
  options: {
    write: {
      value: "<folder>",
      help: "Make the files of the host there, but change none that is there",
    },
    force: { help: "With --write: overwrite files that differ" },
    json: { help: "Print JSON, a host a line" },
  },
  positionals: { least: 0, most: 1 },
  async run(input, terminal) {
    const hosts = chosen(input);
    let failed = false;
    for (const host of hosts) {
      const findings = examineForHost(host, Deno.env.toObject());
      const files = await writeFor(host, input);
      if (input.has("json")) terminal.out(hostJson(host, { findings, files }));
      else tell(host, { findings, files, terminal });
      failed ||= findings.some(({ level }) => level === "failure");
    }
    return failed ? 1 : 0;
  },
};

function chosen(input: CommandInput): readonly Host[] {
  const [name] = input.positionals;
  if (input.has("force") && input.text("write") === undefined) {
    throw wrongCall("--force is for --write alone");
  }
  if (name === undefined) {
    if (input.text("write") !== undefined) throw wrongCall("--write needs to know for which host");
    return HOSTS;
  }
  const host = HOSTS.find((one) => one.name === name);
  if (host !== undefined) return [host];
  const meant = nearest(name, NAMES);
  throw wrongCall(
    `Cannot find a host "${name}"${meant === undefined ? "" : `: is ${meant} meant?`}`,
  );
}

function wrongCall(problem: string): CliError {
  return new CliError(problem, {
    exitCode: 2,
    advice: [`Usage: deno task ${deployCheck.usage} [--write <folder>]`],
  });
}

async function writeFor(host: Host, input: CommandInput): Promise<WrittenFile[]> {
  const folder = input.text("write");
  if (folder === undefined) return [];
  const place: HostPlace = { functions: functionNames(), toRepository: pathsFrom(folder) };
  return await writeFiles(folder, host.files(place), { overwrite: input.has("force") });
}

function functionNames(): string[] {
  return [...Deno.readDirSync(`${ROOT}functions`)]
    .map(({ name }) => name.replace(/\.ts$/, ""))
    .filter((name) => name !== "main")
    .sort();
}

/** Paths of this repository as a file below the folder names them. */
function pathsFrom(folder: string): HostPlace["toRepository"] {
  return (from, path) => {
    const way = relative(resolve(folder, from), resolve(ROOT, path)).split(sep).join("/");
    return way.startsWith(".") ? way : `./${way}`;
  };
}

interface Outcome {
  readonly findings: readonly Finding[];
  readonly files: readonly WrittenFile[];
}

function tell(host: Host, { findings, files, terminal }: Outcome & { terminal: Terminal }): void {
  const { out, style } = terminal;
  const list = (title: string, lines: readonly string[]) => {
    out(`${title}:`);
    for (const line of lines) out(`  ${line}`);
  };
  const width = Math.max(...host.variables.map(({ name, value }) => name.length + value.length));
  out(`${style("bold", host.title)} ${style("yellow", "(not tried on the real host)")}`);
  list("What it is like", host.facts);
  list(
    "What to set",
    host.variables.map(({ name, value, why }) => `${`${name}=${value}`.padEnd(width + 1)}  ${why}`),
  );
  list("What to do", host.steps);
  list("Where it is then", [host.address]);
  out("What this environment would be there:");
  for (const finding of findings) printFinding(finding, terminal);
  if (files.length > 0) {
    list(
      "Files",
      files.map(({ path, state }) => `${state.padEnd(11)} ${path}`),
    );
  }
  out("");
}

function hostJson(
  { name, title, facts, variables, steps, address }: Host,
  outcome: Outcome,
): string {
  return JSON.stringify({
    ...{ host: name, title, tried: false, facts, variables, steps, address },
    ...outcome,
  });
}
