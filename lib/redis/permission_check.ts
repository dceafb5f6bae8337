import type { Redis } from "ioredis";
import { recordKey } from "./keys.ts";
import {
  channelRule,
  keyRule,
  ruleOf,
  SENTINEL_CHANNEL_RULE,
  SENTINEL_COMMANDS,
  wordsOf,
} from "./permissions.ts";
import { PERMIT } from "./scripts/permit.lua.ts";

/** Options of {@link missingRules}. */
export interface PermissionQuestion {
  /** Entries of the lists in permissions.ts. */
  readonly commands: readonly string[];
  /** What every key starts with. */
  readonly prefix: string;
}

/** Where not even this is allowed, nothing else can be asked. */
const FIRST = "eval";

/**
 * Asks which rules the user lacks, as `ACL SETUSER` takes them: `+xadd`, and the patterns of Runnel's keys and channels.
 * It takes no other permission than `+eval`: where that is missing it is all that is named. A Redis that cannot be asked
 * lacks nothing as far as is known.
 *
 * @throws what the client throws, but for a refusal
 */
export async function missingRules(
  client: Redis,
  { commands, prefix }: PermissionQuestion,
): Promise<string[]> {
  // a user may have one of Runnel's two kinds of keys only
  const record = ["hmget", recordKey(prefix), "f"];
  const questions = [record, ...commands.map((entry) => wordsOf(entry, prefix))];
  let reply: unknown;
  try {
    reply = await client.eval(PERMIT, 0, JSON.stringify(questions));
  } catch (error) {
    if (isRefusal(error)) return [`+${FIRST}`];
    if (isAnswer(error)) return [];
    throw error;
  }
  const refused = reply as (number | string)[];
  const rules = new Set<string>();
  let isChannelRefused = false;
  for (let i = 0; i + 1 < refused.length; i += 2) {
    const place = Number(refused[i]) - 2;
    const rule = place < 0 ? "+hmget" : ruleOf(commands[place] ?? "");
    const reason = `${refused[i + 1]}`;
    if (/\bkeys?\b/.test(reason)) rules.add(keyRule(prefix));
    else if (/\bchannels?\b/.test(reason)) isChannelRefused = true;
    else rules.add(rule);
  }
  if (isChannelRefused) {
    rules.add(channelRule(prefix));
    // a script may not try these, so that it is not known which of the two they lack
    for (const rule of ["+subscribe", "+ssubscribe"]) rules.delete(rule);
  }
  return [...rules].sort(patternsFirst);
}

/**
 * Tries which rules the user of a Sentinel lacks, which runs no scripts; the connection hears of failovers afterwards.
 *
 * @param master the name of the set
 * @throws what the client throws, but for a refusal
 */
export async function missingSentinelRules(client: Redis, master: string): Promise<string[]> {
  const rules: string[] = [];
  for (const entry of SENTINEL_COMMANDS) {
    const [rule = "", ...args] = entry.split(" ");
    const [name = "", ...words] = [
      ...rule.split("|"),
      ...args.map((word) => word === "MASTER" ? master : word),
    ];
    try {
      await client.call(name, words);
    } catch (error) {
      if (!isAnswer(error)) throw error;
      if (!isRefusal(error)) continue;
      rules.push(/\bchannels?\b/.test(error.message) ? SENTINEL_CHANNEL_RULE : ruleOf(entry));
    }
  }
  return rules.sort(patternsFirst);
}

function patternsFirst(a: string, b: string): number {
  return Number(a.startsWith("+")) - Number(b.startsWith("+"));
}

function isAnswer(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

function isRefusal(error: unknown): error is Error {
  return isAnswer(error) && error.message.startsWith("NOPERM");
}

/** What an administrator has to say so that a user lacks these rules no more. */
export function grantOf(user: string | undefined, rules: readonly string[]): string {
  return `ACL SETUSER ${user ?? "default"} ${rules.join(" ")}`;
}
