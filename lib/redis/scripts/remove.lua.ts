import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";

/**
 * Deletes a topic's messages and settings and leaves a tombstone, so that cursors before the deletion see a gap. Its
 * groups lose what they had of it, and stay.
 *
 * KEYS: 1 meta, 2 gens, 3 settings, 4 topics, 5 the topic's stream.
 *
 * ARGV: 1 the caller's claim; 2 the topic's name; 3 key base.
 *
 * Returns 1 where the topic existed, else 0.
 */
export const REMOVE = REIGN + TOPIC_STATE + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local name, base = ARGV[2], ARGV[3]
local state = redis.call('HGET', KEYS[1], 't:' .. name)
local configured = redis.call('HDEL', KEYS[3], name)
if not state then
  redis.call('ZREM', KEYS[4], name)
  return configured
end
local t = read_topic(state)
if t.deleted > 0 then return configured end

-- open dead letters are closed with their topic: the groups that gave them up need not keep them any more
local function close_dead_letters(source)
  local members = read_members(base, source)
  for _, id in ipairs(redis.call('ZRANGE', base .. ':dead:' .. source, 0, -1)) do
    local entry = redis.call('XRANGE', KEYS[5], id, id)[1]
    local gkey, origin
    for i = 1, entry and #entry[2] or 0, 2 do
      if entry[2][i] == 'g' then gkey = entry[2][i + 1] end
      if entry[2][i] == 'o' then origin = entry[2][i + 1] end
    end
    local m = gkey and members[gkey]
    if m then
      redis.call('HDEL', base .. ':g:' .. gkey .. ':held', origin)
      m.dead, m.done = m.dead - 1, m.done + 1
    end
  end
  for gkey, m in pairs(members) do redis.call('HSET', base .. ':tg:' .. source, gkey, member_text(m)) end
  redis.call('UNLINK', base .. ':dead:' .. source)
end

local source = string.match(name, '^%$dead%.(.*)$')
if source then close_dead_letters(source) end
if t.groups > 0 then
  for gkey in pairs(read_members(base, name)) do
    redis.call('HSET', base .. ':tg:' .. name, gkey, member_text({ cursor = t.last, number = t.number, done = t.number, dead = 0 }))
    local g = base .. ':g:' .. gkey
    if is_pattern(gkey) then
      redis.call('ZREM', g .. ':ready', name)
    else
      redis.call('UNLINK', g .. ':due', g .. ':held', g .. ':lease', g .. ':n')
    end
  end
  redis.call('HSET', base .. ':tg:' .. name, 'z', t.last)
end
redis.call('UNLINK', KEYS[5], base .. ':dead:' .. name)
t.deleted = r.now
redis.call('HSET', KEYS[1], 't:' .. name, topic_text(t))
return 1
`;
