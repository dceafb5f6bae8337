import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";

/**
 * Tells of the groups of a topic.
 *
 * KEYS: 1 meta, 2 gens.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 topic; 4 default most deliveries; 5 most pending messages
 * and consumers of a group that are looked at.
 *
 * Returns a JSON text, a list of `g` (group), `lag`, `pending`, `dead`, `oldest` (when the oldest pending message was
 * published, ms; 0 for none), `max` (most deliveries) and `consumers` ([name, messages it holds, when it was seen]).
 */
export const DESCRIBE = REIGN + TOPIC_STATE + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end
local base = ARGV[2]
local name, most = ARGV[3], tonumber(ARGV[5])
local state = redis.call('HGET', KEYS[1], 't:' .. name)
if not state then return '[]' end
local t = read_topic(state)
local all = {}
for gkey, m in pairs(read_members(base, name)) do
  local g = base .. ':g:' .. gkey
  local oldest = 0
  for _, id in ipairs(redis.call('ZRANGE', g .. ':due', 0, most - 1)) do
    local ms = tonumber(string.match(id, '^%d+'))
    if oldest == 0 or ms < oldest then oldest = ms end
  end
  local consumers = {}
  local seen = redis.call('ZREVRANGE', g .. ':seen', 0, most - 1, 'WITHSCORES')
  for i = 1, #seen, 2 do
    consumers[#consumers + 1] = { seen[i], tonumber(redis.call('HGET', g .. ':n', seen[i]) or '0'), tonumber(seen[i + 1]) }
  end
  all[#all + 1] = { g = gkey, lag = t.number - m.number, pending = m.number - m.done - m.dead, dead = m.dead, oldest = oldest,
    max = tonumber(redis.call('HGET', g, 'max') or ARGV[4]), consumers = consumers }
end
return #all > 0 and cjson.encode(all) or '[]'
`;
