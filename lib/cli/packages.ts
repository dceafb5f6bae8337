import type { Machine } from "./redis/machine.ts";

/** What something is called by package managers. */
export interface PackageNames {
  readonly apt: string;
  /** Arguments of `brew install`. */
  readonly brew: readonly string[];
}

/**
 * Installs a package by apt as root or with password-less sudo, or by Homebrew; every command that is run is printed.
 * Resolves to the reason where that is not possible, undefined where it worked.
 */
export async function installPackage(
  machine: Machine,
  names: PackageNames,
): Promise<string | undefined> {
  if (machine.os === "darwin") return await installByBrew(machine, names.brew);
  if (machine.os !== "linux") return `there is no way known for ${machine.os}`;
  if (!(await machine.succeeds(["apt-get", "--version"]))) return "this machine has no apt-get";
  if (machine.isRoot) return await installByApt(machine, names.apt, []);
  if (await machine.succeeds(["sudo", "-n", "true"])) {
    return await installByApt(machine, names.apt, ["sudo", "-n"]);
  }
  return "apt-get needs root, and there is no sudo without a password here";
}

async function installByApt(
  machine: Machine,
  name: string,
  asRoot: readonly string[],
): Promise<string | undefined> {
  const apt = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  const add = [...apt, "install", "-y", "--no-install-recommends", name];
  // Fresh images have no package lists, and stale lists name packages that are gone: both are cured by an update.
  const known = await machine.succeeds(["apt-cache", "show", name]);
  if (known && await machine.run(add)) return undefined;
  if (!(await machine.run([...apt, "update"]))) return "apt-get update failed";
  return await machine.run(add) ? undefined : "apt-get install failed";
}

async function installByBrew(
  machine: Machine,
  args: readonly string[],
): Promise<string | undefined> {
  if (!(await machine.succeeds(["brew", "--version"]))) return "this machine has no Homebrew";
  return await machine.run(["brew", "install", ...args]) ? undefined : "brew install failed";
}
