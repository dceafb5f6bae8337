import manifest from "../../deno.json" with { type: "json" };

/** The version of Runnel that is here, and of the Deno that runs it. */
export function versionText(): string {
  return `Runnel ${manifest.version} (Deno ${Deno.version.deno})`;
}
