import { REIGN } from "./reign.lua.ts";

/**
 * Deletes a topic's messages and settings and leaves a tombstone, so that cursors before the deletion see a gap.
 *
 * KEYS: 1 meta, 2 gens, 3 settings, 4 topics, 5 the topic's stream.
 *
 * ARGV: 1 highest generation the caller has seen; 2 the topic's name.
 *
 * Returns 1 where the topic existed, else 0.
 */
export const REMOVE = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], tonumber(ARGV[1]))
if not r then return failure end
if r.state ~= 'open' then return redis.error_reply('CLOSED partition is ' .. r.state) end
local field = 't:' .. ARGV[2]
local state = redis.call('HGET', KEYS[1], field)
local configured = redis.call('HDEL', KEYS[3], ARGV[2])
if not state then
  redis.call('ZREM', KEYS[4], ARGV[2])
  return configured
end
local living = string.match(state, '^%S+ %d+ %d+$')
if not living then return configured end
redis.call('UNLINK', KEYS[5])
redis.call('HSET', KEYS[1], field, living .. ' ' .. string.format('%.0f', r.now))
return 1
`;
