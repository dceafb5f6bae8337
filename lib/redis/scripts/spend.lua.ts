import { REIGN } from "./reign.lua.ts";

/**
 * Notes that a ticket was used.
 *
 * KEYS: 1 meta, 2 gens, 3 the ticket. ARGV: 1 the caller's claim; 2 how long it is remembered, in ms.
 *
 * Returns 1, or 0 where it was used before.
 */
export const SPEND = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('SET', KEYS[3], 1)
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
`;
