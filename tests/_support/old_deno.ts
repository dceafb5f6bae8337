/** Older versions of Deno, as npm has them: edge hosts run them. */
import { findProgram } from "../../lib/cli/test_tools.ts";

/** Whether older versions can be had: they come by npx, which a machine with Deno alone does not have. */
export const hasOldDeno = findProgram("npx") !== undefined;

if (!hasOldDeno) console.error("skipped: tests on older versions of Deno, for want of npx (Node)");

/**
 * Path of the binary of a version, installed at its first use.
 *
 * @throws {Error} npm cannot provide it; with what it said.
 */
export async function denoBinary(version: string): Promise<string> {
  let said = "";
  for (let attempt = 0; attempt < 3; attempt++) {
    // the binary itself, and not the script around it, so that a signal reaches it
    const { stdout, stderr } = await new Deno.Command("npx", {
      args: ["-y", `deno@${version}`, "eval", "console.log(Deno.execPath())"],
      cwd: Deno.env.get("TMPDIR") ?? "/tmp",
      stdin: "null",
    }).output();
    const path = new TextDecoder().decode(stdout).trim();
    if (path !== "") return path;
    said = new TextDecoder().decode(stderr);
  }
  throw new Error(`Cannot get Deno ${version} from npm: ${said}`);
}
