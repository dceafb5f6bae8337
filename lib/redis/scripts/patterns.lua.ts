import { REIGN } from "./reign.lua.ts";

/**
 * Reads the pattern groups of a partition.
 *
 * KEYS: 1 meta, 2 gens, 3 the pattern groups. ARGV: 1 the caller's claim.
 *
 * Returns their version, which rises whenever they change, and their keys.
 */
export const PATTERNS = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end
return { r.gv, redis.call('HKEYS', KEYS[3]) }
`;
