import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { grantOf, missingRules } from "../../lib/redis/permission_check.ts";
import {
  CALLED_COMMANDS,
  CHANNEL_COMMANDS,
  channelRule,
  CLUSTER_COMMANDS,
  DATABASE_COMMANDS,
  DOCTOR_COMMANDS,
  keyRule,
  RESHARD_COMMANDS,
  ruleOf,
  SCRIPT_COMMANDS,
  SENTINEL_COMMANDS,
} from "../../lib/redis/permissions.ts";
import { visitRedis } from "../../lib/redis/visit.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { readRedisUser } from "../_support/redis_user.ts";

const rulesOf = (...lists: (readonly string[])[]) => lists.flat().map(ruleOf).sort();

const commandRules = (rules: readonly string[]) =>
  rules.filter((rule) => rule.startsWith("+")).sort();

Deno.test("the README's user may do what Runnel does, and nothing else", async () => {
  const user = await readRedisUser();
  const { serving, cluster, reshard, doctor, database, sentinel } = user;
  const common = [SCRIPT_COMMANDS, CALLED_COMMANDS];
  assert.deepEqual(commandRules(serving), rulesOf(...common, CHANNEL_COMMANDS));
  assert.deepEqual(commandRules(cluster), rulesOf(...common, CLUSTER_COMMANDS));
  assert.deepEqual(commandRules(reshard), rulesOf(RESHARD_COMMANDS));
  assert.deepEqual(doctor, rulesOf(DOCTOR_COMMANDS));
  assert.deepEqual(database, rulesOf(DATABASE_COMMANDS));
  assert.deepEqual(commandRules(sentinel), rulesOf(SENTINEL_COMMANDS));
  const others = serving.filter((rule) => !rule.startsWith("+"));
  const patterns = [keyRule("rn"), channelRule("rn")];
  assert.deepEqual(others, ["reset", "on", `>${user.password}`, ...patterns]);
});

Deno.test("scripts call the commands of SCRIPT_COMMANDS, and no others", async () => {
  const folder = new URL("../../lib/redis/scripts/", import.meta.url);
  const called = new Set<string>();
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, word = ""] of text.matchAll(/\bcall\(\s*'([A-Z]+)'/g)) {
      called.add(`+${word.toLowerCase()}`);
    }
    // of any other call a human must say what it calls
    const others = [...text.matchAll(/\bp?call\(\s*([^'\s][^,)]*)/g)].map(([, what]) => what);
    const known = ["PUBLISH", "command", "redis.acl_check_cmd", "unpack(words"];
    for (const what of others) assert.ok(known.includes(what ?? ""), `${name}: ${what}`);
  }
  assert.deepEqual([...called].sort(), rulesOf(SCRIPT_COMMANDS));
});

Deno.test("missingRules() tells commands, keys and channels apart, and does nothing of what it asks about", async () => {
  await using redis = await startRedis({ appendonly: false });
  const commands = [...SCRIPT_COMMANDS, ...CALLED_COMMANDS, ...CHANNEL_COMMANDS];
  const cases: [rules: string[], missing: string[]][] = [
    [["~*", "&*", "+@all"], []],
    [["~*", "&*", "+@all", "-eval"], ["+eval"]],
    [["~*", "&*", "+@all", "-xadd", "-subscribe", "-memory"], [
      ...["+xadd", "+subscribe", "+memory|usage"],
    ]],
    [["~other*", "&*", "+@all"], ["~{rn:*"]],
    [["~{rn:0}*", "&*", "+@all"], ["~{rn:*"]],
    [["~{rn:deployment}*", "&*", "+@all"], ["~{rn:*"]],
    [["~{rn:*", "&other", "+@all"], ["&{rn:*"]],
    [["&*", "+@all", "-wait"], ["~{rn:*", "+wait"]],
    [["~*", "&*", "+eval"], commands.map(ruleOf).filter((rule) => rule !== "+eval")],
  ];
  for (const [rules, missing] of cases) {
    await redis.cli("ACL", "SETUSER", "u", "reset", "on", ">p", ...rules);
    const found = await visitRedis(redisOptionsOf(redis.url.replace("://", "://u:p@")), {
      timeoutMs: 5_000,
      work: (client) => missingRules(client, { commands, prefix: "rn" }),
    });
    assert.deepEqual(found.sort(), missing.sort(), rules.join(" "));
  }
  assert.equal(await redis.cli("DBSIZE"), "0");
});

Deno.test("missingRules() lets a Redis be that knows no such question", async () => {
  await using redis = await startRedis({
    appendonly: false,
    args: ["--rename-command", "EVAL", ""],
  });
  const found = await visitRedis(redisOptionsOf(redis.url), {
    timeoutMs: 5_000,
    work: (client) => missingRules(client, { commands: SCRIPT_COMMANDS, prefix: "rn" }),
  });
  assert.deepEqual(found, []);
});

Deno.test("grantOf() is what an administrator has to say", () => {
  assert.equal(grantOf("runnel", ["&{rn:*", "+xadd"]), "ACL SETUSER runnel &{rn:* +xadd");
  assert.equal(grantOf(undefined, ["+xadd"]), "ACL SETUSER default +xadd");
});
