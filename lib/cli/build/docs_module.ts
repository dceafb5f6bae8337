import { docPage } from "./doc_page.ts";

const FOLDER = new URL("../../docs/", import.meta.url);

/** The text of a module with the pages of lib/docs by their names, `PAGES`, and the dashboard as JSON, `DASHBOARD`. */
export async function docsModule(): Promise<string> {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -".md".length)).sort();
  const pages = await Promise.all(names.map(async (name) => {
    const markdown = await Deno.readTextFile(new URL(`${name}.md`, FOLDER));
    return [name, docPage(name, markdown)] as const;
  }));
  const dashboard = JSON.stringify(
    JSON.parse(await Deno.readTextFile(new URL("grafana.json", FOLDER))),
  );
  return [
    "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n",
    "/** Made of lib/docs by `deno task build`; what is changed here is lost. */\n",
    `export const PAGES = ${JSON.stringify(Object.fromEntries(pages), undefined, 2)};\n`,
    `export const DASHBOARD = ${JSON.stringify(dashboard)};\n`,
  ].join("");
}
