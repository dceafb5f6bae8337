import { type ErrorCode, ERRORS, RunnelError } from "../errors.ts";

const BY_PREFIX: readonly (readonly [prefix: string, code: ErrorCode, detail: string])[] = [
  ["NOAUTH", "redis_auth", "Redis asks for a password and none is configured"],
  ["WRONGPASS", "redis_auth", "Redis refused the user name or password"],
  ["ERR AUTH", "redis_auth", "Redis refused the user name or password"],
  ["NOPERM", "redis_forbidden", "Redis does not allow its user a command, key or channel"],
  ["ACL failure", "redis_forbidden", "Redis does not allow its user a command, key or channel"],
  // what a script says before Redis 7.2, where it uses what its user may not
  [
    "ERR The user exec",
    "redis_forbidden",
    "Redis does not allow its user a command, key or channel",
  ],
  ["READONLY", "redis_readonly", "Redis is a read-only replica"],
  ["OOM", "redis_out_of_memory", "Redis has reached its maxmemory"],
  ["LOADING", "redis_loading", "Redis is still loading its data"],
  ["BUSY", "redis_timeout", "Redis is busy with another script"],
  ["MISCONF", "redis_readonly", "Redis cannot save to disk and takes no writes"],
  ["NOREPLICAS", "redis_readonly", "Redis has too few replicas to take writes"],
  ["WRONGTYPE", "wrong_type", "A key of another type stands where Runnel keeps its own"],
  ["STALE commit", "stale_commit", "The commit was superseded"],
  ["STALEPRIMARY", "stale_primary", "This Redis is behind what was already seen"],
  ["GROUPSCHANGED", "groups_changed", "The groups changed meanwhile"],
  ["Command timed out", "redis_timeout", "Redis does not answer"],
  ["connect ETIMEDOUT", "redis_timeout", "Redis does not answer"],
];

const TLS =
  /certificate|altname|self.signed|issuer|\bSSL\b|\bTLS\b|alert|wrong version number|handshake/i;
const UNREACHABLE =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|Connection is closed|isn't writeable|Socket closed|retries per request|connection|socket/i;

/**
 * What is known of a failed command: the server `refused` it, it was never sent (`unsent`), or its reply was lost and
 * nobody can tell whether it took effect (`unknown`).
 */
export type FailureOutcome = "refused" | "unsent" | "unknown";

/** A Redis command that failed, as an error a client may see; the original is its cause, for the log. */
export class RedisFailure extends RunnelError {
  constructor(
    code: ErrorCode,
    detail: string,
    options: { readonly outcome: FailureOutcome; readonly cause?: unknown },
  ) {
    super(code, detail, { cause: options.cause });
    this.outcome = options.outcome;
  }

  /** Whether the command can have taken effect. */
  readonly outcome: FailureOutcome;
}

/** A call that was refused because some pattern groups do not know its topics yet. */
export class UnadoptedFailure extends RedisFailure {
  constructor(message: string, cause: unknown) {
    super("groups_unadopted", "A topic is not known to all groups yet", {
      outcome: "refused",
      cause,
    });
    this.topics = message.split(" ").slice(1);
  }

  /** Some of these topics. */
  readonly topics: readonly string[];
}

/** When or where a call can be made that was refused because its partition is not here, or not just now. */
export type Detour =
  /** It is closed for a moment. */
  | { readonly kind: "wait" }
  /** It is on its way here from another shard, which has it still. */
  | { readonly kind: "coming" }
  /** It has moved to another shard, where the token opens it. */
  | { readonly kind: "moved"; readonly shard: string; readonly token: string; readonly url: string }
  /** It was split, so that there are this many now. */
  | { readonly kind: "split"; readonly partitions: number }
  /** Another node of the Cluster has its slot. */
  | { readonly kind: "slot"; readonly slot: number; readonly host: string; readonly port: number }
  /** A generation must begin first, under a primary that must be confirmed for that. */
  | { readonly kind: "unconfirmed"; readonly reign: NextReign };

/** A generation that is to begin. */
export interface NextReign {
  /** The primary's replication id. */
  readonly run: string;
  /** The highest generation that the caller has seen. */
  readonly seen: number;
  /** The partition's keys. */
  readonly meta: string;
  readonly gens: string;
}

/** A call that was refused, and so not done, because its partition is elsewhere, or cannot be used just now. */
export class DetourFailure extends RedisFailure {
  constructor(readonly detour: Detour, cause: unknown) {
    const code = CODES[detour.kind] ?? "partition_closed";
    super(code, ERRORS[code].title, { outcome: "refused", cause });
  }
}

const CODES: Readonly<Partial<Record<Detour["kind"], ErrorCode>>> = {
  split: "partition_split",
  unconfirmed: "primary_unconfirmed",
};

function detourOf(message: string): Detour | undefined {
  const [kind, first = "", second = "", third = "", url = ""] = message.split(" ");
  switch (kind) {
    case "CLOSED":
      if (first === "moved") return { kind: "moved", shard: second, token: third, url };
      if (first === "incoming") return { kind: "coming" };
      if (first === "split") return { kind: "split", partitions: Number(second) };
      return { kind: "wait" };
    case "MOVED": {
      const colon = second.lastIndexOf(":");
      const port = Number(second.slice(colon + 1));
      return { kind: "slot", slot: Number(first), host: second.slice(0, colon), port };
    }
    case "UNCONFIRMED":
      return {
        kind: "unconfirmed",
        reign: JSON.parse(message.slice("UNCONFIRMED ".length)) as NextReign,
      };
    case "ASK":
    case "TRYAGAIN":
    case "CLUSTERDOWN":
      return { kind: "wait" };
  }
}

/**
 * Turns what the Redis client threw into a {@link RedisFailure}. Texts that Redis or the network wrote are never passed
 * on: they name hosts and users.
 *
 * @param sent whether the command may have left this process
 */
export function toRedisFailure(thrown: unknown, sent: boolean): RedisFailure {
  if (thrown instanceof RedisFailure) return thrown;
  const error = reasonOf(thrown);
  const said = error instanceof Error ? error.message : String(error);
  // of EXEC itself
  const message = said.replace(/^EXECABORT Transaction discarded because of: /, "");
  const outcome = outcomeOf(error, message, sent);
  if (message.startsWith("UNADOPTED ")) return new UnadoptedFailure(message, error);
  const detour = outcome === "refused" ? detourOf(message) : undefined;
  if (detour !== undefined) return new DetourFailure(detour, error);
  for (const [prefix, code, detail] of BY_PREFIX) {
    if (message.startsWith(prefix)) {
      return new RedisFailure(code, detail, { outcome, cause: error });
    }
  }
  if (error instanceof Error && error.name === "NotCapable") {
    const detail = "Deno does not let this process reach Redis";
    return new RedisFailure("redis_unavailable", detail, { outcome, cause: error });
  }
  if (outcome !== "refused" && TLS.test(message)) {
    const detail = "The TLS link to Redis cannot be set up";
    return new RedisFailure("redis_tls", detail, { outcome, cause: error });
  }
  return UNREACHABLE.test(message)
    ? new RedisFailure("redis_unavailable", "Redis cannot be reached", { outcome, cause: error })
    : new RedisFailure("redis_error", "Redis refused the command", { outcome, cause: error });
}

// a transaction that Redis gave up says why beside the commands that it refused
function reasonOf(error: unknown): unknown {
  if (!(error instanceof Error) || !("previousErrors" in error)) return error;
  return Array.isArray(error.previousErrors) ? error.previousErrors[0] ?? error : error;
}

function outcomeOf(error: unknown, message: string, sent: boolean): FailureOutcome {
  // what refused the link, such as a wrong password, was never asked to do the command
  if (!sent) return "unsent";
  if (error instanceof Error && error.name === "ReplyError") return "refused";
  return message.includes("isn't writeable") ? "unsent" : "unknown";
}
