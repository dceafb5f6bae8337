import { REIGN } from "./reign.lua.ts";

/**
 * Reads replies of a request and removes it, so that none can be taken that its requester does not get.
 *
 * KEYS: 1 meta, 2 gens, 3 the request. ARGV: 1 the caller's claim; from 2 on fields to read.
 *
 * Returns the values of the fields, false where one is not there.
 */
export const END_REQUEST = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local values = redis.call('HMGET', KEYS[3], unpack(ARGV, 2))
redis.call('UNLINK', KEYS[3])
return values
`;
