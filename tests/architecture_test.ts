import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** What the files of a room may import; `room/file.ts` allows that one file. Everybody may use their own room. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  functions: [
    "app",
    "http",
    "broker",
    "codec",
    "errors",
    "log",
    "metrics",
    "client/built.ts",
    "console/built.ts",
    "docs",
  ],
  app: ["config", "http", "broker", "redis", "codec", "log", "errors", "metrics"],
  config: ["redis/address.ts", "redis/options.ts", "codec", "errors"],
  http: ["codec", "errors", "log", "metrics"],
  broker: ["redis", "codec", "errors", "log", "metrics"],
  redis: ["codec", "errors", "log", "metrics"],
  codec: ["errors"],
  metrics: ["codec/stats.ts"],
  log: ["errors"],
  errors: [],
  client: [],
  console: ["client", "codec/stats.ts"],
  docs: ["http", "errors"],
  cli: [
    "functions",
    "app",
    "config",
    "http",
    "broker",
    "redis",
    "codec",
    "log",
    "errors",
    "client",
  ],
};

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

/** One import of one of our files. */
interface Edge {
  /** Path from the repository's root. */
  readonly from: string;
  /** Path from the root, or the specifier as it resolved where it is not one of our files. */
  readonly to: string;
  /** As it is written. */
  readonly specifier: string;
}

const files = [...sources("functions"), ...sources("lib")];
const texts = new Map(files.map((file) => [file, readSource(file)]));
const edges = await readEdges();

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(path)) yield path;
  }
}

function readSource(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** All imports of functions/ and lib/, imports of types and dynamic ones among them. */
async function readEdges(): Promise<Edge[]> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-imports-" });
  const entry = `${dir}/all.ts`;
  const imports = files.map((file) => `import ${JSON.stringify(new URL(file, ROOT).href)};`);
  await Deno.writeTextFile(entry, imports.join("\n"));
  const config = fileURLToPath(new URL("deno.json", ROOT));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", "--config", config, entry],
    stderr: "inherit",
  }).output();
  await Deno.remove(dir, { recursive: true });
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  return modules.filter(({ specifier }) => specifier.startsWith(ROOT.href)).flatMap(edgesOf);
}

function edgesOf({ specifier: from, dependencies = [] }: Module): Edge[] {
  return dependencies.flatMap(({ specifier, code, type }) => {
    const targets = new Set([code?.specifier, type?.specifier].filter((to) => to !== undefined));
    return [...targets].map((to) => ({ from: relative(from), to: relative(to), specifier }));
  });
}

function relative(specifier: string): string {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : specifier;
}

function isOurs(path: string): boolean {
  return path.startsWith("functions/") || path.startsWith("lib/");
}

/** `lib/http/cors.ts` is in `http`, `lib/config_reader.ts` in `config`. */
function roomOf(path: string): string {
  if (path.startsWith("functions/")) return "functions";
  return path.replace(/^lib\//, "").split("/")[0]!.replace(/(_\w+)?\.tsx?$/, "");
}

Deno.test("imports: every file is in a room that has a rule", () => {
  for (const file of files) assert.ok(Object.hasOwn(ARROWS, roomOf(file)), file);
});

Deno.test("imports: the graph has the files and edges that it must have", () => {
  const has = (from: string, to: string) =>
    edges.some((edge) => edge.from === from && edge.to === to);
  assert.ok(has("functions/openapi.ts", "functions/publish.ts"));
  // A dynamic import, and one of a type alone.
  assert.ok(has("lib/cli/main.ts", "lib/cli/commands/start.ts"));
  assert.ok(has("lib/redis/address.ts", "lib/redis/options.ts"));
});

Deno.test("imports: arrows go down only", () => {
  const wrong = edges.filter(({ from, to }) => {
    if (!isOurs(to)) return to.startsWith("tests/");
    const [room, target] = [roomOf(from), roomOf(to)];
    const allowed = ARROWS[room] ?? [];
    return room !== target && !allowed.includes(target) &&
      !allowed.includes(to.replace("lib/", ""));
  });
  assert.deepEqual(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("imports: there is no cycle", () => {
  assert.deepEqual(findCycle(edges), undefined);
  const cycle = [["a", "b"], ["b", "c"], ["c", "b"]] as const;
  const found = findCycle(cycle.map(([from, to]) => ({ from, to, specifier: to })));
  assert.deepEqual(found, ["b", "c", "b"]);
});

/** The files of one cycle, the first of them again at its end. */
function findCycle(edges: readonly Edge[]): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    const start = path.indexOf(file);
    if (start !== -1) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    for (const { from, to } of edges) {
      const cycle = from === file ? visit(to, [...path, file]) : undefined;
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const { from } of edges) {
    const cycle = visit(from, []);
    if (cycle) return cycle;
  }
  return undefined;
}

Deno.test("imports: only lib/redis knows the Redis client", () => {
  const users = edges.filter(({ to }) => /ioredis/.test(to)).map(({ from }) => roomOf(from));
  assert.deepEqual([...new Set(users)], ["redis"]);
});

Deno.test("imports: every package is named by the import map", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("import_map.json", ROOT)));
  const bare = edges.filter(({ specifier }) => !/^(\.{0,2}\/|node:)/.test(specifier));
  for (const { from, specifier } of bare) {
    assert.ok(Object.hasOwn(imports, specifier), `${from} imports ${specifier}`);
  }
});

Deno.test("imports: the import map names nothing that is not used", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("import_map.json", ROOT)));
  // Tests are read as text: the graph of functions/ and lib/ does not have them.
  const everything = [...texts.values(), ...[...sources("tests")].map(readSource)].join("\n");
  const used = new Set(everything.match(/(?<=\b(?:from|import) ")[^"]+|(?<=\bimport\(")[^"]+/g));
  // what the compiler makes of JSX imports it
  used.add("preact/jsx-runtime");
  assert.deepEqual(Object.keys(imports).filter((name) => !used.has(name)), []);
});

Deno.test("environment variables are read by lib/config.ts and the CLI only", () => {
  const users = files.filter((file) => /\b(Deno|process)\.env\b/.test(withoutComments(file)));
  const foreign = users.filter((file) => !["config", "cli"].includes(roomOf(file)));
  // The composition root hands the environment to lib/config.ts, without a look of its own.
  assert.deepEqual(foreign, ["lib/app.ts"]);
  const uses = withoutComments("lib/app.ts").match(/.*\bDeno\.env\b.*/g);
  assert.deepEqual(uses?.map((line) => line.trim()), [
    "const config = loadConfig((name) => Deno.env.get(name));",
  ]);
});

function withoutComments(file: string): string {
  return texts.get(file)!.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
}

Deno.test("functions end in their default export, and nothing else has one", () => {
  for (const file of files) {
    const text = texts.get(file)!;
    if (!file.startsWith("functions/")) {
      assert.doesNotMatch(withoutComments(file), /^export default/m, file);
      continue;
    }
    const last = text.lastIndexOf("\nexport default ");
    assert.ok(last !== -1, `${file} has a default export`);
    const end = text.slice(last).trim();
    assert.match(end, /^export default [^]*satisfies Deno\.ServeDefaultExport;$/, file);
    // One statement: nothing but its own closing lines starts in the first column.
    assert.doesNotMatch(end.slice("export default".length), /\n[^\s}]/, file);
  }
});

Deno.test("functions open no port and no connection when they are imported", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-import-" });
  for (const file of files.filter((file) => file.startsWith("functions/"))) {
    await t.step(file, async () => {
      const entry = `${dir}/${file.replaceAll("/", "_")}`;
      const url = JSON.stringify(new URL(file, ROOT).href);
      await Deno.writeTextFile(
        entry,
        `import f from ${url};\nif (!f.fetch) throw new Error("no fetch");`,
      );
      // Without the right to the network an attempt throws; whatever waits would keep the process alive.
      const rights = ["--no-prompt", "--allow-env", "--allow-read", "--allow-sys"];
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", ...rights, "--no-lock", "--config", "deno.json", entry],
        cwd: fileURLToPath(ROOT),
        stdin: "null",
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    });
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the top level holds what belongs there", async () => {
  const expected = new Set([
    ...["functions", "lib", "tests", "deno.json", "deno.lock", "import_map.json"],
    ...["docker-compose.yml", "README.md", "LICENSE"],
  ]);
  const ignored = (await Deno.readTextFile(new URL(".gitignore", ROOT))).split("\n");
  const isIgnored = (name: string) =>
    ignored.some((line) =>
      [name, `${name}/`].includes(line) || line === `*${name.slice(name.lastIndexOf("."))}`
    );
  const names = [...Deno.readDirSync(ROOT)].map(({ name }) => name);
  const unknown = names.filter((name) =>
    !name.startsWith(".") && !expected.has(name) && !isIgnored(name)
  );
  assert.deepEqual(unknown, []);
});
