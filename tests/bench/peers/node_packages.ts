/** npm packages of the peers that run on Node, in a folder outside the repository. */
import { createHash } from "node:crypto";
import { MissingPeerError, outputOf } from "./peer.ts";

/** What is installed, in these versions. */
export const PACKAGES: Readonly<Record<string, string>> = {
  "better-sse": "0.16.1",
  "ioredis": "6.0.0",
  "socket.io": "4.8.4",
  "socket.io-adapter": "2.5.8",
  "@socket.io/redis-streams-adapter": "0.3.1",
};

const LEAST_NODE = 20;

/** The folder for these packages below a folder for temporary files: other versions, another folder. */
export function packagesFolder(
  temporary: string,
  packages: Readonly<Record<string, string>>,
): string {
  const hash = createHash("sha256").update(JSON.stringify(packages)).digest("hex").slice(0, 16);
  return `${temporary}/runnel-bench-peers/${hash}`;
}

/**
 * Installs {@link PACKAGES} unless an earlier run has; returns the folder that has `node_modules`.
 *
 * @throws {MissingPeerError} without Node, or where npm cannot get them.
 */
export async function installPackages(): Promise<string> {
  await checkNode();
  const folder = ownFolder();
  if (await isFolder(folder)) return folder;
  const parent = folder.slice(0, folder.lastIndexOf("/"));
  await Deno.mkdir(parent, { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: parent });
  try {
    await install(fresh);
    await Deno.rename(fresh, folder);
  } catch (error) {
    await Deno.remove(fresh, { recursive: true });
    // Somebody else was faster.
    if (!await isFolder(folder)) throw error;
  }
  return folder;
}

/** Versions of Node and of what is installed; undefined where {@link installPackages} installed nothing. */
export async function nodeVersions(): Promise<string | undefined> {
  const folder = ownFolder();
  const node = await nodeVersion();
  if (node === undefined || !await isFolder(folder)) return undefined;
  const versions = Object.keys(PACKAGES).map(async (name) => {
    const text = await Deno.readTextFile(`${folder}/node_modules/${name}/package.json`);
    return `${name} ${JSON.parse(text).version}`;
  });
  return `Node ${node} (${(await Promise.all(versions)).join(", ")})`;
}

function ownFolder(): string {
  return packagesFolder(Deno.env.get("TMPDIR") ?? "/tmp", PACKAGES);
}

async function nodeVersion(): Promise<string | undefined> {
  const version = await outputOf("node", ["--version"]);
  return /^v(\S+)/.exec(version?.text ?? "")?.[1];
}

async function checkNode(): Promise<void> {
  if (parseInt(await nodeVersion() ?? "0") >= LEAST_NODE) return;
  throw new MissingPeerError(`it needs Node ${LEAST_NODE} or later, and npm: install both`);
}

async function install(folder: string): Promise<void> {
  // Without one npm would look for a package in the folders above.
  await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }\n`);
  const names = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
  const result = await outputOf("npm", ["install", ...quiet, "--prefix", folder, ...names]);
  if (result?.success) return;
  throw new MissingPeerError(
    result ? `npm cannot install its packages: ${result.text.trim()}` : "it needs npm: install it",
  );
}

async function isFolder(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isDirectory ?? false;
}
