import { REIGN } from "./reign.lua.ts";

/**
 * Removes requests.
 *
 * KEYS: 1 meta, 2 gens, from 3 on the requests. ARGV: 1 the caller's claim.
 *
 * Returns 1.
 */
export const DROP_REQUESTS = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
`;
