/** npm packages that the bench itself imports to measure with or against. */

const PACKAGES = ["ioredis", "bullmq"];

/** Their names and versions. @throws {Error} where one is not installed */
export async function importedVersions(): Promise<string> {
  const versions = PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`);
  return (await Promise.all(versions)).join(", ");
}

/** The version in the package.json that is nearest above what an import gives. */
async function versionOf(name: string): Promise<string> {
  let folder = new URL(".", import.meta.resolve(name));
  for (let above; (above = new URL("..", folder)).href !== folder.href; folder = above) {
    const text = await Deno.readTextFile(new URL("package.json", folder)).catch(() => "{}");
    const found: { name?: string; version?: string } = JSON.parse(text);
    if (found.name === name && found.version !== undefined) return found.version;
  }
  throw new Error(`Cannot find the version of ${name}`);
}
