import type { ErrorCode } from "../errors.ts";

/** Why anything that needs Redis may fail. */
export const REDIS_PROBLEMS: readonly ErrorCode[] = [
  "redis_unavailable",
  "redis_timeout",
  "redis_tls",
  "redis_auth",
  "redis_forbidden",
  "redis_readonly",
  "redis_out_of_memory",
  "redis_loading",
  "redis_error",
  "wrong_type",
  "stale_primary",
  "primary_unconfirmed",
  "partition_closed",
  "partition_split",
];

/** Why a message may not be stored. */
export const STORING_PROBLEMS: readonly ErrorCode[] = [
  ...REDIS_PROBLEMS,
  "topic_full",
  "outcome_unknown",
  "stale_commit",
  "overloaded",
  "shutting_down",
  "groups_changed",
  "groups_unadopted",
  "payload_too_large",
  "rate_limited",
];

/** Why a group may not be used or changed. */
export const GROUP_PROBLEMS: readonly ErrorCode[] = [
  ...REDIS_PROBLEMS,
  "invalid_topic",
  "invalid_group",
  "invalid_cursor",
  "outcome_unknown",
  "group_deleting",
  "groups_changed",
  "groups_unadopted",
  "overloaded",
  "shutting_down",
];
