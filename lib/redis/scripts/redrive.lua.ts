import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";

/**
 * Puts dead letters of a topic back to the groups that gave them up, each once: it is not open any more in the same step.
 *
 * KEYS: 1 meta, 2 gens.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 channel base; 4 topic; 5 only those of this group, empty
 * for all; 6 after this number of the dead-letter topic; 7 up to this number, empty for what there is now: a message that dies again meanwhile
 * must not go round; 8 most dead letters; from 9 on their ids, in place of the numbers.
 *
 * Returns a JSON text: `n` (how many), `at` (number looked at last), `to` (the limit), `more` and `x` (ids that are not open).
 */
export const REDRIVE = REIGN + TOPIC_STATE + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local base = ARGV[2]
local channels, name, only = ARGV[3], ARGV[4], ARGV[5]
local dead, stream = base .. ':dead:' .. name, base .. ':t:$dead.' .. name
local state = redis.call('HGET', KEYS[1], 't:$dead.' .. name)
local limit = tonumber(ARGV[7]) or (state and read_topic(state).number or 0)
local last, most = tonumber(ARGV[6]), tonumber(ARGV[8])
local members = read_members(base, name)
local woken, unknown, done = {}, {}, 0

local function origin_of(id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  local gkey, origin
  for i = 1, entry and #entry[2] or 0, 2 do
    if entry[2][i] == 'g' then gkey = entry[2][i + 1] end
    if entry[2][i] == 'o' then origin = entry[2][i + 1] end
  end
  return gkey, origin
end

local function put_back(id)
  local gkey, origin = origin_of(id)
  if only ~= '' and gkey ~= nil and string.match(gkey, '|([^|]*)$') ~= only then return false end
  local m = gkey and members[gkey]
  local g = gkey and base .. ':g:' .. gkey
  local copy = m and redis.call('HGET', g .. ':held', origin)
  if not copy then
    redis.call('ZREM', dead, id)
    return false
  end
  redis.call('HSET', g .. ':lease', origin, '0 0 W ' .. name .. ' *')
  redis.call('ZADD', g .. ':due', int(r.now), origin)
  redis.call('ZREM', dead, id)
  m.dead = m.dead - 1
  redis.call('HSET', base .. ':tg:' .. name, gkey, member_text(m))
  woken[gkey] = true
  done = done + 1
  return true
end

local more = false
if #ARGV >= 9 then
  for i = 9, #ARGV do
    local open = redis.call('ZSCORE', dead, ARGV[i])
    if not (open and put_back(ARGV[i])) then unknown[#unknown + 1] = ARGV[i] end
  end
else
  local open = redis.call('ZRANGEBYSCORE', dead, '(' .. int(last), int(limit), 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #open, 2 do
    put_back(open[i])
    last = tonumber(open[i + 1])
  end
  more = #open == most * 2
end
redis.set_repl(redis.REPL_NONE)
for gkey in pairs(woken) do
  local payload = 'W ' .. int(r.now) .. ' ' .. gkey
  publish(channels .. ':c:' .. name, payload)
  publish(channels .. ':all', payload)
end
return '{"n":' .. done .. ',"at":' .. int(last) .. ',"to":' .. int(limit) .. ',"more":' .. tostring(more)
  .. ',"x":' .. (#unknown > 0 and cjson.encode(unknown) or '[]') .. '}'
`;
