/** What doctor finds, in the test's own process. */
import { examineAll } from "../../../lib/cli/findings/examination.ts";
import type { Finding } from "../../../lib/cli/findings/finding.ts";
import { loadConfig } from "../../../lib/config.ts";

/**
 * Everything that is found with this environment; a variable that is undefined is unset. How long a message takes is taken
 * for good, since that is the machine's.
 */
export async function examined(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding[]> {
  const { redis = [], ...settings } = loadConfig((name) => env[name]);
  const findings = await examineAll(redis, settings);
  return findings.map((one) =>
    one.text.startsWith("A message gets through") ? { ...one, level: "ok" } : one
  );
}

/** The findings of a level, each as one text: what it is, and what to do about it. */
export function textsOf(findings: readonly Finding[], level: Finding["level"]): string[] {
  return findings
    .filter((finding) => finding.level === level)
    .map(({ text, advice }) => advice === undefined ? text : `${text} → ${advice}`);
}

/** What keeps Runnel from working with this environment. */
export async function failuresOf(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  return textsOf(await examined(env), "failure");
}
