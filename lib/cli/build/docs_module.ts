import { docPage } from "./doc_page.ts";

const FOLDER = new URL("../../docs/", import.meta.url);

/** The text of a module with the pages of lib/docs by their names: `PAGES`. */
export async function docsModule(): Promise<string> {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -".md".length)).sort();
  const pages = await Promise.all(names.map(async (name) => {
    const markdown = await Deno.readTextFile(new URL(`${name}.md`, FOLDER));
    return [name, docPage(name, markdown)] as const;
  }));
  return [
    "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n",
    "/** Made of lib/docs/*.md by `deno task build`; what is changed here is lost. */\n",
    `export const PAGES = ${JSON.stringify(Object.fromEntries(pages), undefined, 2)};\n`,
  ].join("");
}
