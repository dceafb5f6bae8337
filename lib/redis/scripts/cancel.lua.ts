import { REIGN } from "./reign.lua.ts";

/**
 * Forgets a message that is kept for later.
 *
 * KEYS: 1 meta, 2 gens, 3 later, 4 later's messages. ARGV: 1 the caller's claim; 2 the message's token.
 *
 * Returns 1, or 0 where it is not there, or was published already.
 */
export const CANCEL = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
redis.call('ZREM', KEYS[3], ARGV[2])
return redis.call('HDEL', KEYS[4], ARGV[2])
`;
