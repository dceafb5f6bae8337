/** API keys of the configuration. */
import { newKey } from "../../lib/codec/api_key.ts";

/** Keys that may do everything, by their names: the variables that let them in, and what each sends. */
export function configureKeys<N extends string>(names: readonly N[]): {
  readonly env: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<N, Readonly<Record<string, string>>>>;
} {
  const all = ["**"];
  const keys = names.map((name) => ({ name, ...newKey() }));
  const kept = keys.map(({ id, name, hash }) => ({
    ...{ id, name, hash, publish: all, subscribe: all, consume: all, manage: true },
  }));
  const headers = keys.map(({ name, text }) => [name, { authorization: `Bearer ${text}` }]);
  return {
    env: { RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify(kept) },
    // Object.fromEntries forgets the names
    headers: Object.fromEntries(headers) as Record<N, Record<string, string>>,
  };
}
