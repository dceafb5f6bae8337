import { isPattern, TopicPattern } from "./topic_pattern.ts";

/**
 * Whether every topic that `name` stands for, one topic or a pattern, is matched by the pattern or topic `grant`. Names
 * with a leading `$` are covered only by what begins with `$` itself. What it grants is right; that nothing else could be
 * granted is shown by a test against all short topics.
 */
export function covers(grant: string, name: string): boolean {
  if (grant === name) return true;
  if (!isPattern(grant)) return false;
  if (name.startsWith("$") && !grant.startsWith("$")) return false;
  return new TopicPattern(grant).takes(name);
}
