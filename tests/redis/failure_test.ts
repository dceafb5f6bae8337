import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import { type FailureOutcome, RedisFailure, toRedisFailure } from "../../lib/redis/failure.ts";

/** An error as the client throws it when Redis has answered with one. */
function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

Deno.test("toRedisFailure() knows what Redis says", () => {
  const texts: Record<string, ErrorCode> = {
    "NOAUTH Authentication required.": "redis_auth",
    "WRONGPASS invalid username-password pair or user is disabled.": "redis_auth",
    "ERR AUTH <password> called without any password configured": "redis_auth",
    "NOPERM this user has no permissions to run the 'evalsha' command": "redis_forbidden",
    "EXECABORT Transaction discarded because of: NOPERM this user has no": "redis_forbidden",
    "ERR The user executing the script can't run this command": "redis_forbidden",
    "READONLY You can't write against a read only replica.": "redis_readonly",
    "OOM command not allowed when used memory > 'maxmemory'. script: f, on @user_script:1.":
      "redis_out_of_memory",
    "LOADING Redis is loading the dataset in memory": "redis_loading",
    "BUSY Redis is busy running a script": "redis_timeout",
    "MISCONF Redis is configured to save RDB snapshots, but": "redis_readonly",
    "NOREPLICAS Not enough good replicas to write.": "redis_readonly",
    "WRONGTYPE Operation against a key holding the wrong kind of value": "wrong_type",
    "STALE commit 5 of a lane that is at 7": "stale_commit",
    "STALEPRIMARY generation 5 is behind 7": "stale_primary",
    "CLOSED partition is frozen": "partition_closed",
    "ERR unknown command 'XADD'": "redis_error",
  };
  for (const [text, code] of Object.entries(texts)) {
    const failure = toRedisFailure(reply(text), true);
    assert.deepEqual([failure.code, failure.outcome], [code, "refused"], text);
  }
});

Deno.test("toRedisFailure() knows whether a command can have taken effect", () => {
  const cases: [error: Error, sent: boolean, code: ErrorCode, outcome: FailureOutcome][] = [
    [new Error("Connection is closed."), true, "redis_unavailable", "unknown"],
    [new Error("Command timed out"), true, "redis_timeout", "unknown"],
    [new Error("read ECONNRESET"), true, "redis_unavailable", "unknown"],
    [
      new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      true,
      "redis_unavailable",
      "unsent",
    ],
    [new Error("connect ECONNREFUSED 127.0.0.1:1"), false, "redis_unavailable", "unsent"],
    [new Error("connect ENOENT /tmp/x.sock"), false, "redis_unavailable", "unsent"],
    [new Error("getaddrinfo ENOTFOUND nowhere"), false, "redis_unavailable", "unsent"],
    [new Error("connect ETIMEDOUT"), false, "redis_timeout", "unsent"],
    [
      new Deno.errors.NotCapable('Requires net access to "tls.example:6379"'),
      false,
      "redis_unavailable",
      "unsent",
    ],
    [reply("WRONGPASS invalid"), false, "redis_auth", "unsent"],
    [new Error("self-signed certificate in certificate chain"), false, "redis_tls", "unsent"],
  ];
  for (const [error, sent, code, outcome] of cases) {
    const failure = toRedisFailure(error, sent);
    assert.deepEqual([failure.code, failure.outcome], [code, outcome], error.message);
  }
});

Deno.test("toRedisFailure() takes a transaction's reason from the commands that were refused", () => {
  const error = Object.assign(
    reply("EXECABORT Transaction discarded because of previous errors."),
    {
      previousErrors: [reply("OOM command not allowed when used memory > 'maxmemory'.")],
    },
  );
  assert.equal(toRedisFailure(error, true).code, "redis_out_of_memory");
  assert.equal(
    toRedisFailure(Object.assign(error, { previousErrors: [] }), true).code,
    "redis_error",
  );
});

Deno.test("toRedisFailure() passes on no text of Redis or the network, but keeps it for the log", () => {
  const secret = "connect ECONNREFUSED redis://user:hunter2@10.1.2.3:6379";
  const failure = toRedisFailure(new Error(secret), false);
  assert.doesNotMatch(failure.message, /hunter2|10\.1\.2\.3/);
  assert.match(String(failure.cause), /10\.1\.2\.3/);
  assert.match(toRedisFailure(reply("ERR something odd: hunter2"), true).message, /^Redis refused/);
});

Deno.test("toRedisFailure() leaves a failure as it is, and takes anything", () => {
  const failure = new RedisFailure("redis_loading", "later", { outcome: "refused" });
  assert.equal(toRedisFailure(failure, true), failure);
  for (const odd of [undefined, null, "text", 5, {}]) {
    assert.equal(toRedisFailure(odd, true).code, "redis_error");
  }
});
