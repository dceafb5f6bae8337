import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";

/**
 * Deletes a group, some topics a call: each then keeps no message for it any more.
 *
 * KEYS: 1 meta, 2 gens.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 group; 4 its topic or pattern; 5 most topics.
 *
 * Returns 0 where there is no such group, 1 where it is gone now, 2 where topics are left for another call.
 */
export const DISBAND = REIGN + TOPIC_STATE + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local base = ARGV[2]
local gkey, sub = ARGV[3], ARGV[4]
local g = base .. ':g:' .. gkey
if redis.call('EXISTS', g) == 0 then return 0 end
if redis.call('HSETNX', g, 'deleting', '1') == 1 and is_pattern(gkey) then
  redis.call('HDEL', base .. ':pg', gkey)
  redis.call('HINCRBY', KEYS[1], 'gv', 1)
end
local function group_of(entry)
  for i = 1, entry and #entry[2] or 0, 2 do
    if entry[2][i] == 'g' then return entry[2][i + 1] end
  end
end
local function leave_topic(name)
  if redis.call('HDEL', base .. ':tg:' .. name, gkey) == 0 then return end
  local t = read_topic(redis.call('HGET', KEYS[1], 't:' .. name))
  t.groups = t.groups - 1
  redis.call('HSET', KEYS[1], 't:' .. name, topic_text(t))
  local dead = base .. ':dead:' .. name
  for _, id in ipairs(redis.call('ZRANGE', dead, 0, -1)) do
    local owner = group_of(redis.call('XRANGE', base .. ':t:$dead.' .. name, id, id)[1])
    if owner == nil or owner == gkey then redis.call('ZREM', dead, id) end
  end
end
local names = is_pattern(gkey) and redis.call('SPOP', g .. ':topics', tonumber(ARGV[5])) or { sub }
for _, name in ipairs(names) do leave_topic(name) end
if is_pattern(gkey) and redis.call('EXISTS', g .. ':topics') == 1 then return 2 end
redis.call('UNLINK', g, g .. ':due', g .. ':held', g .. ':lease', g .. ':n', g .. ':seen', g .. ':c', g .. ':ready', g .. ':topics')
return 1
`;
