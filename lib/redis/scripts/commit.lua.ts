import { REIGN } from "./reign.lua.ts";
import { TRIM } from "./trim.lua.ts";

/**
 * Stores one commit: the messages of many publishers, sorted by topic, and publishes a frame for each topic.
 *
 * KEYS: 1 meta, 2 gens, 3 log, 4 settings, 5 topics, 6 lane; from 7 on the stream of each topic.
 *
 * ARGV: 1 highest generation the caller has seen; 2 number of the commit on its
 * lane; 3 key base; 4 channel base; 5 default most messages a topic; 6 default most age in ms, 0 for none; 7 idempotency
 * window in ms; 8 most log entries; 9 largest frame with bodies in bytes; 10 "1" for all or none; 11 how long a lane's
 * record is kept in ms; then for each topic its name, its number of messages, and for each message its body and its
 * options as a JSON object with `ttl` (ms), `idem`, `hash` and `key`, or an empty string.
 *
 * Returns a JSON text: `gen`, `clock`, `firsts` (for each topic the id of its first stored message, "" where none was)
 * and `special` (a list of [index of the message, "dup" | "conflict" | "type" | "aborted", id]). Messages that are not
 * special have consecutive ids from their topic's first. The text is kept as the lane's record and returned again when
 * the same number is sent again; a lower number is an error, STALE.
 *
 * First everything is validated, then XADD comes first of all writes: Redis checks its memory at a script's first write
 * only, and an error half-way would leave a half.
 */
export const COMMIT = REIGN + TRIM + `
local meta, gens, log, settings_key, topics_key, lane = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local number = tonumber(ARGV[2])
local base, channels = ARGV[3], ARGV[4]
local defaults = { max = tonumber(ARGV[5]), age = tonumber(ARGV[6]) }
local window, log_max, frame_max = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local atomic, lane_ttl = ARGV[10] == '1', ARGV[11]
local FIRST_KEY, FIRST_ARG = 7, 12

local record = redis.call('GET', lane)
local r, failure = reign(meta, gens, tonumber(ARGV[1]))
if not r then return failure end
if record then
  local done, reply = string.match(record, '^(%d+) (.*)$')
  done = tonumber(done)
  if done == number then return reply end
  if done > number then return redis.error_reply('STALE commit ' .. number .. ' of a lane that is at ' .. done) end
end
if r.state ~= 'open' then return redis.error_reply('CLOSED partition is ' .. r.state) end

-- the read pass
local names, fields = {}, {}
local at, index = FIRST_ARG, 0
local topics = {}
while at <= #ARGV do
  local t = { name = ARGV[at], messages = {} }
  local count = tonumber(ARGV[at + 1])
  at = at + 2
  for i = 1, count do
    local options = ARGV[at + 1]
    t.messages[i] = { body = ARGV[at], options = options ~= '' and cjson.decode(options) or nil, index = index }
    index = index + 1
    at = at + 2
  end
  topics[#topics + 1] = t
  names[#names + 1] = t.name
  fields[#fields + 1] = 't:' .. t.name
end
local states = redis.call('HMGET', meta, unpack(fields))
local settings = redis.call('HMGET', settings_key, unpack(names))
local bucket = math.floor(r.now / window)
local idem_now = base .. ':i:' .. string.format('%.0f', bucket)
local idem_before = base .. ':i:' .. string.format('%.0f', bucket - 1)
local special, total, failed = {}, 0, false
local function set_aside(message, kind, id)
  special[#special + 1] = { message.index, kind, id or '' }
  if kind ~= 'dup' then failed = true end
end
for i, t in ipairs(topics) do
  t.stream = KEYS[FIRST_KEY + i - 1]
  local kind = redis.call('TYPE', t.stream).ok
  local foreign = kind ~= 'none' and kind ~= 'stream'
  local storing, by_key = {}, {}
  for _, message in ipairs(t.messages) do
    local o = message.options
    if foreign then
      set_aside(message, 'type')
    elseif o and o.idem then
      local field = t.name .. ' ' .. o.idem
      local known = redis.call('HGET', idem_now, field) or redis.call('HGET', idem_before, field)
      local twin = by_key[o.idem]
      if known then
        local id, hash = string.match(known, '^(%S+) (%S+)$')
        set_aside(message, hash == o.hash and 'dup' or 'conflict', id)
      elseif twin then
        if twin.options.hash == o.hash then message.twin = twin else set_aside(message, 'conflict') end
      else
        by_key[o.idem] = message
        storing[#storing + 1] = message
      end
    else
      storing[#storing + 1] = message
    end
  end
  t.storing = storing
  total = total + #storing
end
if atomic and failed then
  for _, t in ipairs(topics) do
    for _, message in ipairs(t.storing) do special[#special + 1] = { message.index, 'aborted', '' } end
    for _, message in ipairs(t.messages) do
      if message.twin then special[#special + 1] = { message.index, 'aborted', '' } end
    end
    t.storing = {}
  end
  total = 0
end

-- the write pass
local clock_ms, clock_seq = id_parts(r.clock)
local ms = math.max(r.now, clock_ms)
local seq = r.gen * 65536
if ms == clock_ms and clock_seq >= seq then seq = clock_seq + 1 end
if seq % 65536 + total > 65536 then
  ms = ms + 1
  seq = r.gen * 65536
end
local clock = r.clock
local firsts, changed, remembered = {}, {}, {}
for i, t in ipairs(topics) do
  local count = #t.storing
  if count == 0 then
    firsts[i] = ''
  else
    local last, number_in_topic, largest, gone
    if states[i] then
      last, number_in_topic, largest, gone = string.match(states[i], '^(%S+) (%d+) (%d+) ?(%d*)$')
      number_in_topic, largest = tonumber(number_in_topic), tonumber(largest)
    else
      last, number_in_topic, largest, gone = r.purged, 0, 0, 'new'
    end
    local previous, first = last, id_text(ms, seq)
    local bytes, lines = 0, {}
    for k, message in ipairs(t.storing) do
      local id = id_text(ms, seq)
      local o = message.options
      number_in_topic = number_in_topic + 1
      local expires = ''
      if o or ms ~= r.now then
        local extra = {}
        if o and o.ttl then
          expires = string.format('%.0f', r.now + o.ttl)
          extra[#extra + 1] = 'x'
          extra[#extra + 1] = expires
        end
        if o and o.key then
          extra[#extra + 1] = 'k'
          extra[#extra + 1] = o.key
        end
        if ms ~= r.now then
          extra[#extra + 1] = 't'
          extra[#extra + 1] = string.format('%.0f', r.now)
        end
        redis.call('XADD', t.stream, id, 'm', message.body, 'p', last, 's', number_in_topic, unpack(extra))
        if o and o.idem then
          remembered[#remembered + 1] = t.name .. ' ' .. o.idem
          remembered[#remembered + 1] = id .. ' ' .. o.hash
        end
      else
        redis.call('XADD', t.stream, id, 'm', message.body, 'p', last, 's', number_in_topic)
      end
      message.id = id
      last = id
      seq = seq + 1
      local size = #message.body
      bytes = bytes + size
      if size > largest then largest = size end
      lines[k] = expires .. ' ' .. message.body
    end
    redis.call('XADD', log, last, 't', t.name, 'f', first, 'n', count, 'b', bytes, 'p', clock)
    changed[#changed + 1] = fields[i]
    changed[#changed + 1] = last .. ' ' .. string.format('%.0f', number_in_topic) .. ' ' .. string.format('%.0f', largest)
    if gone ~= '' then redis.call('ZADD', topics_key, 0, t.name) end
    firsts[i] = first
    local kind = bytes > frame_max and 'I' or 'F'
    t.frame = table.concat({ kind, clock, previous, first, count, string.format('%.0f', r.now), t.name }, ' ')
    if kind == 'F' then t.frame = t.frame .. '\\n' .. table.concat(lines, '\\n') end
    clock = last
    trim(t.stream, settings[i], defaults, r.now, 1000 + count)
  end
end
if total > 0 then
  redis.call('XTRIM', log, 'MAXLEN', '~', log_max)
  changed[#changed + 1] = 'clock'
  changed[#changed + 1] = clock
  redis.call('HSET', meta, unpack(changed))
  if #remembered > 0 then
    redis.call('HSET', idem_now, unpack(remembered))
    redis.call('PEXPIRE', idem_now, string.format('%.0f', window * 2))
  end
end
for _, t in ipairs(topics) do
  for _, message in ipairs(t.messages) do
    if message.twin and message.twin.id then set_aside(message, 'dup', message.twin.id) end
  end
end
local reply = '{"gen":' .. string.format('%.0f', r.gen) .. ',"clock":"' .. clock .. '","firsts":' .. cjson.encode(firsts)
  .. ',"special":' .. (#special > 0 and cjson.encode(special) or '[]') .. '}'
redis.call('SET', lane, string.format('%.0f', number) .. ' ' .. reply, 'PX', lane_ttl)
-- frames go to this node's subscribers only: a replica's would run ahead of what it stores
redis.set_repl(redis.REPL_NONE)
for _, t in ipairs(topics) do
  if t.frame then
    redis.call('PUBLISH', channels .. ':c:' .. t.name, t.frame)
    redis.call('PUBLISH', channels .. ':all', t.frame)
  end
end
return reply
`;
