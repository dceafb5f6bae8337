import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";

/**
 * Counts some of the topics, in byte order, and what their groups have to do.
 *
 * KEYS: 1 meta, 2 gens, 3 topics.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 the topic to go on after, empty for the first; 4 most topics; 5 most
 * consumers, and pattern groups, that are looked at.
 *
 * Returns `after` (the topic to go on after, empty where there are no more), and how many topics, groups, messages
 * that groups have not taken, pending, held by named consumers, and dead ones there are. Groups by pattern are counted in the last step.
 */
export const CENSUS = REIGN + TOPIC_STATE + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end
local base, after, most, looked_at = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local topics, groups, lag, pending, held, dead = 0, 0, 0, 0, 0, 0

local function count_held(gkey)
  local key = base .. ':g:' .. gkey .. ':n'
  if redis.call('HLEN', key) > looked_at then return end
  local fields = redis.call('HGETALL', key)
  for i = 2, #fields, 2 do held = held + tonumber(fields[i]) end
end

local names = redis.call('ZRANGE', KEYS[3], after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, most)
for _, name in ipairs(names) do
  local state = redis.call('HGET', KEYS[1], 't:' .. name)
  local t = state and read_topic(state)
  if t and t.deleted == 0 then topics = topics + 1 end
  if t and t.groups > 0 then
    for gkey, m in pairs(read_members(base, name)) do
      lag = lag + t.number - m.number
      pending = pending + m.number - m.done - m.dead
      dead = dead + m.dead
      if not is_pattern(gkey) then
        groups = groups + 1
        count_held(gkey)
      end
    end
  end
end
local is_last = #names < most
if is_last then
  groups = groups + redis.call('HLEN', base .. ':pg')
  if redis.call('HLEN', base .. ':pg') <= looked_at then
    for _, gkey in ipairs(redis.call('HKEYS', base .. ':pg')) do count_held(gkey) end
  end
end
return { is_last and '' or names[#names], topics, groups, int(lag), int(pending), int(held), int(dead) }
`;
