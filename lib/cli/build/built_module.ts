import { createHash } from "node:crypto";

/** The content of one asset in a built module. */
export interface BuiltAsset {
  /** The exported constant's name. */
  readonly name: string;
  /** Its content type. */
  readonly type: string;
  readonly text: string;
}

const HASH_LENGTH = 16;

/**
 * The text of a module that exports assets: servers of edge hosts have modules and no files.
 *
 * @param source what they were made of, for whoever opens the file
 */
export function builtModule(assets: readonly BuiltAsset[], source: string): string {
  const exports = assets.map(({ name, type, text }) => {
    const hash = createHash("sha256").update(text).digest("base64url").slice(0, HASH_LENGTH);
    const value = JSON.stringify({ type, hash, text }, undefined, 2);
    return `export const ${name} = ${value};\n`;
  });
  return [
    "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n",
    `/** Made of ${source} by \`deno task build\`; what is changed here is lost. */\n`,
    ...exports,
  ].join("");
}
