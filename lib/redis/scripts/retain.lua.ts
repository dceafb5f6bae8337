import { REIGN } from "./reign.lua.ts";
import { TRIM } from "./trim.lua.ts";

/**
 * Enforces retention on some topics, and where asked changes it first; forgets topics that were deleted long ago.
 *
 * KEYS: 1 meta, 2 gens, 3 settings, 4 topics; from 5 on the stream of each topic.
 *
 * ARGV: 1 highest generation the caller has seen; 2 default most messages;
 * 3 default most age in ms, 0 for none; 4 most messages removed in all; 5 how long a deleted topic is remembered in ms;
 * 6 new settings "messages age" with "-" for the default, or empty; from 7 on the names of the topics.
 *
 * Returns the number of messages removed.
 */
export const RETAIN = REIGN + TRIM + `
local r, failure = reign(KEYS[1], KEYS[2], tonumber(ARGV[1]))
if not r then return failure end
if r.state ~= 'open' then return redis.error_reply('CLOSED partition is ' .. r.state) end
local defaults = { max = tonumber(ARGV[2]), age = tonumber(ARGV[3]) }
local removed, most = 0, tonumber(ARGV[4])
for i = 7, #ARGV do
  local name, stream = ARGV[i], KEYS[i - 2]
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[3], name, ARGV[6])
    redis.call('ZADD', KEYS[4], 0, name)
  end
  if removed < most and redis.call('TYPE', stream).ok == 'stream' then
    removed = removed + trim(stream, redis.call('HGET', KEYS[3], name), defaults, r.now, most - removed)
  end
  local state = redis.call('HGET', KEYS[1], 't:' .. name)
  if state then
    local last, deleted = string.match(state, '^(%S+) %d+ %d+ (%d+)$')
    if deleted and tonumber(deleted) + tonumber(ARGV[5]) < r.now then
      if id_after(last, r.purged) then
        r.purged = last
        redis.call('HSET', KEYS[1], 'purged', last)
      end
      redis.call('HDEL', KEYS[1], 't:' .. name)
      redis.call('ZREM', KEYS[4], name)
    end
  end
end
return removed
`;
