/** The exports of a module: values, and types alone. */
export interface ModuleExports {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** What a module of re-exports and functions exports. */
export function exportsOf(source: string): ModuleExports {
  const values = [...source.matchAll(/^export (?:async )?function (\w+)/gm)].map(nameOf);
  const types: string[] = [];
  for (const [, kind, list = ""] of source.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const name of list.split(",").map((one) => one.trim()).filter(Boolean)) {
      if (kind) types.push(name);
      else if (name.startsWith("type ")) types.push(name.slice("type ".length));
      else values.push(name);
    }
  }
  return { values: values.sort(), types: types.sort() };
}

/**
 * The declarations of a bundle without what no export needs: the bundler writes those of every module that it has read, as
 * if all of them could be imported.
 */
export function publicDeclarations(bundled: string, { values, types }: ModuleExports): string {
  const declarations = new Map<string, string>();
  let comment = "";
  for (const part of topLevelParts(bundled)) {
    const name = /^export (?:declare )?(?:abstract )?(?:class|function|interface|type|const) (\w+)/
      .exec(part)?.[1];
    if (part.startsWith("/**")) comment = part;
    else {
      if (name !== undefined) declarations.set(name, comment + part.replace("export ", ""));
      comment = "";
    }
  }
  const needed = reachable([...values, ...types], declarations);
  const texts = [...declarations].filter(([name]) => needed.has(name)).map(([, text]) => text);
  return [
    ...texts,
    `export { ${values.join(", ")} };\n`,
    `export type { ${types.join(", ")} };\n`,
  ].join("");
}

/** Comments and statements that start in the first column. */
function topLevelParts(text: string): string[] {
  return text.split(/^(?=\/\*\*|export |import )/m);
}

function reachable(
  names: readonly string[],
  declarations: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const text = declarations.get(name);
    if (text === undefined || found.has(name)) return;
    // a type may have a member of the same name
    if (/^declare function/m.test(text) && !names.includes(name)) return;
    found.add(name);
    const code = text.replace(/\/\*[^]*?\*\//g, "");
    for (const [word] of code.matchAll(/\w+/g)) visit(word);
  };
  names.forEach(visit);
  return found;
}

function nameOf([, name = ""]: RegExpExecArray): string {
  return name;
}
