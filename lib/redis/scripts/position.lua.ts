import { REIGN } from "./reign.lua.ts";

/**
 * Tells where the partition stands and whether a cursor is still good there; the first part of every read.
 *
 * KEYS: 1 meta, 2 gens.
 *
 * ARGV: 1 the caller's claim; 2 a cursor, or empty; with "~" before it, one that may be of another partition;
 * 3 a channel to publish a probe to, or empty; 4 the probe's number; from 5 on names of topics.
 *
 * Returns a JSON text: `gen`, `clock`, `now` (ms), `purged`, `cursor` (where to go on), `lost` (true where the cursor
 * saw messages that a failover or a lost tail took away) and `topics` (for each name "last count largest [deleted]",
 * "" where unknown).
 */
export const POSITION = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end

-- a cursor without generation is a time: it has seen nothing, so it can have lost nothing
local function resolve(cursor, is_guess)
  local ms, seq = id_parts(cursor)
  local gen = math.floor(seq / 65536)
  local ended = gen ~= r.gen and gen ~= 0 and redis.call('HGET', KEYS[2], string.format('%.0f', gen))
  if is_guess and gen ~= 0 and not ended then
    local time = gen == r.gen and cursor or id_text(math.max(ms - 2000, 0), 0)
    return id_after(time, r.clock) and r.clock or time, false
  end
  if gen > r.gen then return nil end
  if gen == r.gen or gen == 0 then
    if id_after(cursor, r.clock) then return r.clock, gen ~= 0 end
    return cursor, false
  end
  if ended then
    if id_after(cursor, ended) then return ended, true end
    return cursor, false
  end
  local below, its_end = 0, '0-0'
  local known = redis.call('HGETALL', KEYS[2])
  for i = 1, #known, 2 do
    local g = tonumber(known[i])
    if g < gen and g > below then below, its_end = g, known[i + 1] end
  end
  return its_end, true
end

local cursor, lost = '', false
if ARGV[2] ~= '' then
  local guess, id = string.match(ARGV[2], '^(~?)(.*)$')
  cursor, lost = resolve(id, guess == '~')
  if not cursor then
    return redis.error_reply('STALEPRIMARY generation ' .. string.format('%.0f', r.gen) .. ' is behind the cursor')
  end
end
local topics = {}
if #ARGV > 4 then
  local fields = {}
  for i = 5, #ARGV do fields[#fields + 1] = 't:' .. ARGV[i] end
  local states = redis.call('HMGET', KEYS[1], unpack(fields))
  for i = 1, #fields do topics[i] = states[i] or '' end
end
local gen = string.format('%.0f', r.gen)
if ARGV[3] ~= '' then
  redis.set_repl(redis.REPL_NONE)
  publish(ARGV[3], 'P ' .. gen .. ' ' .. r.clock .. ' ' .. ARGV[4])
end
return '{"gen":' .. gen .. ',"clock":"' .. r.clock .. '","now":' .. string.format('%.0f', r.now) .. ',"purged":"' .. r.purged
  .. '","cursor":"' .. cursor .. '","lost":' .. tostring(lost) .. ',"topics":' .. (#topics > 0 and cjson.encode(topics) or '[]') .. '}'
`;
