import { APPEND } from "./append.lua.ts";
import { CALLS } from "./calls.lua.ts";
import { GROUP } from "./group.lua.ts";
import { REIGN } from "./reign.lua.ts";

/**
 * Does the pulls and acknowledgements of many consumers, in order.
 *
 * KEYS: 1 meta, 2 gens, 3 log, 4 settings, 5 topics, 6 lane.
 *
 * ARGV: 1 the caller's claim; 2 number of the call on its lane; 3 key base; 4 channel base;
 * 5 default most messages a topic; 6 default most age in ms, 0 for none; 7 most log entries; 8 largest frame with bodies
 * in bytes; 9 how long a lane's record is kept in ms; 10 default most deliveries; 11 bytes after which a pull takes no
 * more; then for each operation
 * `pull`, group, topic or pattern, consumer ("" for none), attempt ("" for none), most messages, lease in ms, where a new group starts,
 * most that the consumer may hold ("" for no limit), process to tell when it may take more ("" for none); or
 * `ack` | `nack` | `extend`, group, lease ("" for whoever's), delay or lease in ms, number of ids, the ids.
 *
 * Returns a list of a JSON text and, for each message of each pull, its copy "topic time expires body" (false where it is gone).
 * The text is kept as the lane's record: `gen` and `results`, of a pull `i` (ids), `d` (deliveries of each), `l` (lease),
 * `u` (when it ends, ms), `m` (1 where there is more), `n` (where it gave nothing, when the next lease or nack of the
 * group is due, ms), `c` (1 where the group was made), `r` (1 where the attempt is repeated), `h` (how many the consumer
 * held before, -1 where there is no limit to that), `e` (why it was refused); of the others `k` (how many were done) and
 * `x` (ids that were not).
 *
 * It begins with a write that a full Redis allows: whoever wants to make room must be let.
 */
export const WORK = REIGN + APPEND + CALLS + GROUP + `
redis.call('HDEL', KEYS[1], '')
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
local number = tonumber(ARGV[2])
local base = ARGV[3]

-- the copies of what a record names, as far as its lease still holds them
local function with_copies(text)
  local reply = { text }
  for _, result in ipairs(cjson.decode(text).results) do
    if result.i and #result.i > 0 then
      local g = base .. ':g:' .. result.g
      local leases = redis.call('HMGET', g .. ':lease', unpack(result.i))
      local copies = redis.call('HMGET', g .. ':held', unpack(result.i))
      for i = 1, #result.i do
        local lease = leases[i] and string.match(leases[i], '^%d+ (%d+) L')
        reply[#reply + 1] = lease == result.l and copies[i]
      end
    end
  end
  return reply
end

local recorded, stale = call_record(KEYS[6], number)
if stale then return stale end
if recorded then return with_copies(recorded) end
if r.state ~= 'open' then return closed(r) end
local w = new_writer(r, { base = base, channels = ARGV[4], meta = KEYS[1], log = KEYS[3], settings = KEYS[4],
  topics = KEYS[5], defaults = { max = tonumber(ARGV[5]), age = tonumber(ARGV[6]) }, log_max = ARGV[7],
  frame_max = tonumber(ARGV[8]) })
local desk = new_desk(w, tonumber(ARGV[10]), tonumber(ARGV[11]))

local function list(t) return #t > 0 and cjson.encode(t) or '[]' end

-- what a pull gave, when it is known when the next is due
local function pulled(gkey, p)
  local ids = #p.ids > 0 and '["' .. table.concat(p.ids, '","') .. '"]' or '[]'
  return '{"g":' .. cjson.encode(gkey) .. ',"i":' .. ids .. ',"d":[' .. table.concat(p.deliveries, ',') .. '],"l":"' .. (p.lease or '')
    .. '","u":' .. int(p.ends or 0) .. ',"m":' .. (p.more and 1 or 0) .. ',"n":' .. int(p.next or 0) .. ',"c":' .. (p.created and 1 or 0)
    .. ',"r":' .. (p.repeated and 1 or 0) .. ',"h":' .. (p.held or -1) .. ',"e":"' .. (p.refused or '') .. '"}'
end

local function settled(done, unknown)
  return '{"k":' .. done .. ',"x":' .. list(unknown) .. '}'
end

-- how many messages the pulls want of each group, as far as nothing else limits what they are given
local at = 12
while at <= #ARGV do
  if ARGV[at] == 'pull' then
    if ARGV[at + 8] == '' then want(desk, ARGV[at + 1], tonumber(ARGV[at + 5])) end
    at = at + 10
  else
    at = at + 5 + tonumber(ARGV[at + 4])
  end
end

local results, pulls, copies = {}, {}, {}
at = 12
while at <= #ARGV do
  local kind, gkey = ARGV[at], ARGV[at + 1]
  if kind == 'pull' then
    local o = { gkey = gkey, sub = ARGV[at + 2], consumer = ARGV[at + 3], attempt = tonumber(ARGV[at + 4]),
      max = tonumber(ARGV[at + 5]), lease_ms = tonumber(ARGV[at + 6]), since = ARGV[at + 7], cap = tonumber(ARGV[at + 8]),
      process = ARGV[at + 9] }
    if not o.cap then want(desk, gkey, -o.max) end
    local p = pull(desk, o)
    results[#results + 1] = ''
    pulls[#results] = { gkey = gkey, given = p }
    for _, copy in ipairs(p.copies) do copies[#copies + 1] = copy end
    at = at + 10
  else
    local ids = {}
    local count = tonumber(ARGV[at + 4])
    for i = 1, count do ids[i] = ARGV[at + 4 + i] end
    results[#results + 1] = settled(settle(desk, { kind = kind, gkey = gkey, lease = ARGV[at + 2], ms = tonumber(ARGV[at + 3]), ids = ids }))
    at = at + 5 + count
  end
end
close_desk(desk)
finish(w)
for i, one in pairs(pulls) do results[i] = pulled(one.gkey, one.given) end
local text = '{"gen":' .. int(r.gen) .. ',"results":[' .. table.concat(results, ',') .. ']}'
if desk.changed then redis.call('SET', KEYS[6], int(number) .. ' ' .. text, 'PX', ARGV[9]) end
publish_frames(w)
wake(desk)
table.insert(copies, 1, text)
return copies
`;
