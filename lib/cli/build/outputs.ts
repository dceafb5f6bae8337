import { builtModule } from "./built_module.ts";
import { bundle } from "./bundle.ts";
import { docsModule } from "./docs_module.ts";
import { exportsOf, publicDeclarations } from "./declarations.ts";

const ROOT = new URL("../../../", import.meta.url);

/** A file that is made of others. */
export interface Output {
  /** Path from the repository's root. */
  readonly path: string;
  /** Makes its content. */
  make(): Promise<string>;
}

/** Everything that `deno task build` makes. */
export const OUTPUTS: readonly Output[] = [
  {
    path: "lib/client/built.ts",
    async make() {
      const entry = "lib/client/mod.ts";
      const { script, types = "" } = await bundle(entry, { types: true });
      const exports = exportsOf(await Deno.readTextFile(new URL(entry, ROOT)));
      return builtModule([
        { name: "SCRIPT", type: "text/javascript; charset=utf-8", text: script },
        {
          name: "TYPES",
          type: "application/typescript; charset=utf-8",
          text: publicDeclarations(types, exports),
        },
      ], "lib/client");
    },
  },
  {
    path: "lib/console/built.ts",
    async make() {
      const { script } = await bundle("lib/console/main.tsx");
      return builtModule([
        { name: "SCRIPT", type: "text/javascript; charset=utf-8", text: script },
        { name: "STYLE", type: "text/css; charset=utf-8", text: await styleOf("lib/console") },
      ], "lib/console");
    },
  },
  { path: "lib/docs/built.ts", make: docsModule },
];

/** The style sheets of a folder and those below it, in the order of their paths: what is deeper may change what is not. */
async function styleOf(folder: string): Promise<string> {
  const texts = await Promise.all(
    styleSheets(folder).map((path) => Deno.readTextFile(new URL(path, ROOT))),
  );
  return texts.join("\n");
}

function styleSheets(folder: string): string[] {
  const entries = [...Deno.readDirSync(new URL(folder, ROOT))]
    .sort((a, b) => Number(a.isDirectory) - Number(b.isDirectory) || (a.name < b.name ? -1 : 1));
  return entries.flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return styleSheets(path);
    return name.endsWith(".css") ? [path] : [];
  });
}

/** Whether an output is what its sources make; where it is not, `write` makes it so. */
export async function refresh(
  { path, make }: Output,
  { write }: { readonly write: boolean },
): Promise<boolean> {
  const file = new URL(path, ROOT);
  const [made, present] = await Promise.all([
    make(),
    Deno.readTextFile(file).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }),
  ]);
  if (made === present) return true;
  if (write) await Deno.writeTextFile(file, made);
  return false;
}

/**
 * Looks at all outputs, and makes those that are stale where `write` says so.
 *
 * @returns paths of those that were stale
 * @throws {CliError} what a source has wrong
 */
export async function refreshAll(options: { readonly write: boolean }): Promise<string[]> {
  const fresh = await Promise.all(OUTPUTS.map((output) => refresh(output, options)));
  return OUTPUTS.filter((_, i) => !fresh[i]).map(({ path }) => path);
}
