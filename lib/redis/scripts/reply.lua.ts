import { REIGN } from "./reign.lua.ts";

/**
 * Takes a reply to an open request: stores it with the request, then tells the process that waits.
 *
 * KEYS: 1 meta, 2 gens, 3 the request.
 *
 * ARGV: 1 the caller's claim; 2 the request's id; 3 the reply's key; 4 digest of its payload;
 * 5 its body; 6 what process channels start with; 7 largest body that travels, in bytes; 8 key base; 9 how long keys are
 * remembered at least when the request is gone, in ms; 10 most bytes of all replies but the first.
 *
 * Returns "taken" (also when it was taken before), "conflict" (the key was used with another payload), "gone" (nobody
 * waits, or enough have replied) or "full" (the replies are too large together).
 */
export const REPLY = REIGN + `
local request = KEYS[3]
local id, key, digest, body = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local base, window = ARGV[8], tonumber(ARGV[9])
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end

local bucket = math.floor(r.now / window)
local function keys_of(bucket) return base .. ':qk:' .. string.format('%.0f', bucket) end
local field = id .. ' ' .. key
local wanted, process, taken, bytes, known = unpack(redis.call('HMGET', request, 'n', 'p', 'c', 'b', 'k:' .. key))
known = known or redis.call('HGET', keys_of(bucket), field) or redis.call('HGET', keys_of(bucket - 1), field)
if known then return known == digest and 'taken' or 'conflict' end
local index = tonumber(taken or '0') + 1
if not wanted or index > tonumber(wanted) then return 'gone' end
bytes = tonumber(bytes or '0') + #body
if index > 1 and bytes > tonumber(ARGV[10]) then return 'full' end

local time = string.format('%.0f', r.now)
redis.call('HSET', request, 'r' .. index, time .. ' ' .. body, 'c', index, 'b', bytes, 'k:' .. key, digest)
redis.call('HSET', keys_of(bucket), field, digest)
redis.call('PEXPIRE', keys_of(bucket), window * 2)
redis.set_repl(redis.REPL_NONE)
local frame = 'R ' .. id .. ' ' .. index .. ' ' .. time
if #body <= tonumber(ARGV[7]) then frame = frame .. '\\n' .. body end
publish(ARGV[6] .. process, frame)
return 'taken'
`;
