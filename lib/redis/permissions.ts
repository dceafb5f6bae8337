/**
 * What Runnel does at a Redis, so what the ACL user must be allowed there. The README has the same as lines for copying,
 * and a test compares them.
 *
 * Each entry is a rule without its plus, and behind it arguments for which Redis takes the command; `KEY` and `CHANNEL`
 * stand for one of Runnel's own, `MASTER` for the name of a set. Redis reads keys by their place: what it is asked about must be complete.
 */

/** What scripts call. Where one of these is missing a script may stop half-way, so nothing is done without all of them. */
export const SCRIPT_COMMANDS: readonly string[] = [
  ...["info replication", "time", "type KEY", "unlink KEY", "pexpire KEY 1", "pttl KEY"],
  ...["get KEY", "set KEY 1", "exists KEY", "hget KEY f", "hmget KEY f", "hgetall KEY"],
  ...["hkeys KEY", "hlen KEY", "hexists KEY f", "hset KEY f 1", "hsetnx KEY f 1"],
  ...["hincrby KEY f 1", "hdel KEY f", "sadd KEY m", "spop KEY 1", "zadd KEY 1 m", "zrem KEY m"],
  ...["zrange KEY 0 0", "zrevrange KEY 0 0", "zrangebyscore KEY 0 1", "zscore KEY m"],
  ...["xadd KEY * m 1", "xtrim KEY MAXLEN 1", "xlen KEY", "xrange KEY - +", "xrevrange KEY + -"],
];

/** What a process that serves sends beside its scripts. */
export const CALLED_COMMANDS: readonly string[] = [
  ...["eval return 0", "evalsha 0 0", "ping", "multi", "exec", "wait 0 1", "del KEY"],
  ...["zremrangebyscore KEY 0 1", "memory|usage KEY"],
];

/** How frames travel, but on a Cluster. */
export const CHANNEL_COMMANDS: readonly string[] = [
  ...["publish CHANNEL m", "subscribe CHANNEL", "unsubscribe CHANNEL"],
];

/** How they travel on a Cluster, and who has which slot. */
export const CLUSTER_COMMANDS: readonly string[] = [
  ...["spublish CHANNEL m", "ssubscribe CHANNEL", "sunsubscribe CHANNEL", "cluster|slots"],
];

/** What `deno task reshard` needs besides, where topics are and where they go. */
export const RESHARD_COMMANDS: readonly string[] = [
  ...["scan 0", "scard KEY", "sscan KEY 0", "smismember KEY m", "srem KEY m", "hscan KEY 0"],
  ...["zscan KEY 0", "zmscore KEY m", "pexpireat KEY 1", "pexpiretime KEY"],
];

/** What `deno task doctor` needs besides. */
export const DOCTOR_COMMANDS: readonly string[] = ["config|get appendonly"];

/** What an address with a database other than 0 needs besides. */
export const DATABASE_COMMANDS: readonly string[] = ["select 0"];

/** What is asked of Sentinels, which have users of their own, in an order in which it can be asked. */
export const SENTINEL_COMMANDS: readonly string[] = [
  ...["ping", "sentinel|master MASTER", "subscribe +switch-master"],
];

/** The rule of an entry, as `ACL SETUSER` takes it. */
export function ruleOf(entry: string): string {
  return `+${entry.split(" ", 1)[0]}`;
}

/** The pattern of Runnel's keys; with `&` in place of `~` that of its channels. */
export function keyRule(prefix: string): string {
  return `~{${prefix}:*`;
}

/** The pattern of Runnel's channels. */
export function channelRule(prefix: string): string {
  return `&{${prefix}:*`;
}

/** The pattern of the channel by which Sentinels tell of a failover. */
export const SENTINEL_CHANNEL_RULE = "&+switch-master";

/** Where nothing is kept that Runnel knows; a key and a channel like its own. */
export function trialName(prefix: string): string {
  return `{${prefix}:0}:trial`;
}

/** The words of an entry as Redis gets them. */
export function wordsOf(entry: string, prefix: string): string[] {
  const [rule = "", ...args] = entry.split(" ");
  const name = trialName(prefix);
  return [
    ...rule.split("|"),
    ...args.map((word) => word === "KEY" || word === "CHANNEL" ? name : word),
  ];
}
