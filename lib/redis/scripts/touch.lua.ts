import { REIGN } from "./reign.lua.ts";

/**
 * Writes a key that nobody reads: what refuses it refuses messages too.
 *
 * KEYS: 1 meta, 2 gens, 3 the key. ARGV: 1 the caller's claim; 2 how long it is kept, in ms.
 *
 * Returns 1.
 */
export const TOUCH = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
return 1
`;
