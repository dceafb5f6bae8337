import type { ApiKey } from "../../codec/api_key.ts";
import { TOPIC_ACTIONS } from "../../codec/grants.ts";
import type { KeyRecord } from "../../redis/key_records.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** A key as `keys list` shows it: nothing that helps to find out its text. */
export interface KeyView {
  readonly name: string;
  readonly id: string;
  readonly state: "active" | "expired" | "revoked";
  /** Where it is written down. */
  readonly source: "redis" | "RUNNEL_KEYS";
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly consume?: readonly string[];
  readonly manage?: boolean;
  readonly createdAt?: string;
  readonly expiresAt?: string;
  /** Until when the text is taken that it had before it was rotated. */
  readonly previousUntil?: string;
  readonly revokedAt?: string;
}

/** A key of Redis at a time in milliseconds since 1970. */
export function viewOfRecord({ id, at, createdAt, name, key }: KeyRecord, now: number): KeyView {
  const times = { createdAt: timeText(createdAt) };
  if (key !== undefined) return { ...viewOfKey(key, now), source: "redis", ...times };
  return {
    name: name ?? "?",
    id,
    state: "revoked",
    source: "redis",
    ...times,
    revokedAt: timeText(at),
  };
}

/** A key of the configuration. */
export function viewOfKey({ hash: _, previous, expiresAt, ...key }: ApiKey, now: number): KeyView {
  const isOver = expiresAt !== undefined && expiresAt <= now;
  const hasPrevious = previous !== undefined && previous.until > now;
  const { name, id, publish, subscribe, consume, manage } = key;
  return {
    name,
    id,
    state: isOver ? "expired" : "active",
    source: "RUNNEL_KEYS",
    ...(publish === undefined ? {} : { publish }),
    ...(subscribe === undefined ? {} : { subscribe }),
    ...(consume === undefined ? {} : { consume }),
    ...(manage === undefined ? {} : { manage }),
    ...(expiresAt === undefined ? {} : { expiresAt: timeText(expiresAt) }),
    ...(hasPrevious ? { previousUntil: timeText(previous.until) } : {}),
  };
}

/** A key as one line for a person. */
export function keyLine(view: KeyView, { style }: Terminal): string {
  const grants = TOPIC_ACTIONS.flatMap((action) => {
    const patterns = view[action];
    return patterns === undefined ? [] : [`${action} ${patterns.join(",")}`];
  });
  const { createdAt, expiresAt, previousUntil, revokedAt, state, source } = view;
  const facts = [
    ...(createdAt === undefined ? [] : [`created ${createdAt}`]),
    ...(expiresAt === undefined
      ? []
      : [`${state === "expired" ? "expired" : "expires"} ${expiresAt}`]),
    ...(previousUntil === undefined ? [] : [`its old text is taken until ${previousUntil}`]),
    ...(revokedAt === undefined ? [] : [`revoked ${revokedAt}`]),
    ...(source === "RUNNEL_KEYS" ? ["in RUNNEL_KEYS"] : []),
  ];
  const parts = [
    style(state === "active" ? "cyan" : "red", view.name),
    style("dim", view.id),
    ...[...grants, ...(view.manage === true ? ["manage"] : [])].map(printable),
    style("dim", facts.join(", ")),
  ];
  return parts.join("  ");
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
