import { CliError } from "../cli_error.ts";

const ROOT = new URL("../../../", import.meta.url);

/**
 * Declarations are made with the types of a browser alone: with Deno's own, 2.9 finds a fault in those that it has for
 * Node, whatever the module is.
 */
const TYPES_CONFIG = {
  compilerOptions: {
    lib: ["dom", "dom.iterable", "dom.asynciterable", "esnext"],
    types: [],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  },
};

/** What came out of {@link bundle}. */
export interface Bundle {
  /** The script, minified. */
  readonly script: string;
  /** Its types, where they were asked for. */
  readonly types?: string;
}

/**
 * Makes one script for browsers of a module and all that it imports.
 *
 * @param entry path from the repository's root
 * @throws {CliError} what the bundler has to say
 */
export async function bundle(
  entry: string,
  { types = false }: { types?: boolean } = {},
): Promise<Bundle> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-build-" });
  try {
    const flags = ["--platform", "browser", "--minify", ...(types ? ["--declaration"] : [])];
    if (types) {
      const config = `${dir}/config.json`;
      await Deno.writeTextFile(config, JSON.stringify(TYPES_CONFIG));
      flags.push("--config", config);
    }
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", ...(types ? [] : ["--frozen"]), ...flags, "--outdir", dir, entry],
      cwd: ROOT,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) {
      const advice = new TextDecoder().decode(stderr).trim().split("\n");
      throw new CliError(`Cannot bundle ${entry}`, { advice });
    }
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
    const read = async (end: string) => {
      const name = names.find((one) => one.endsWith(end));
      if (name === undefined) throw new CliError(`Cannot find ${end} of ${entry}`);
      return await Deno.readTextFile(`${dir}/${name}`);
    };
    return { script: await read(".js"), ...(types ? { types: await read(".d.ts") } : {}) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
