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
 * record is kept in ms; then for each topic its name, its number of messages, their bodies and their options, one a line each:
 * a message's options are a JSON object with `ttl` (ms), `idem`, `hash` and `key`, or an empty line, and the whole
 * argument is empty where no message has any. Two arguments for each message would cost the client more than the rest.
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
for key, wanted in pairs({ [log] = 'stream', [topics_key] = 'zset' }) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= wanted then return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind) end
end
local names, fields, topics = {}, {}, {}
local at, index = FIRST_ARG, 0
while at <= #ARGV do
  local t = { name = ARGV[at], count = tonumber(ARGV[at + 1]), text = ARGV[at + 2], index = index, bodies = {} }
  for body in string.gmatch(t.text, '[^\\n]+') do t.bodies[#t.bodies + 1] = body end
  if #t.bodies ~= t.count then return redis.error_reply('ERR a body has a line break') end
  if ARGV[at + 3] ~= '' then
    t.messages = {}
    for options in string.gmatch(ARGV[at + 3], '([^\\n]*)\\n') do
      local i = #t.messages + 1
      t.messages[i] = { body = t.bodies[i], options = options ~= '' and cjson.decode(options) or {}, index = index + i - 1 }
    end
  end
  index = index + t.count
  at = at + 4
  topics[#topics + 1] = t
  names[#names + 1] = t.name
  fields[#fields + 1] = 't:' .. t.name
end
local states = redis.call('HMGET', meta, unpack(fields))
local settings = redis.call('HMGET', settings_key, unpack(names))
local bucket = math.floor(r.now / window)
local idem_now = base .. ':i:' .. string.format('%.0f', bucket)
local idem_before = base .. ':i:' .. string.format('%.0f', bucket - 1)
-- the primary before may have had a clock that was ahead of this one's
local idem_after = base .. ':i:' .. string.format('%.0f', bucket + 1)
local special, total, failed = {}, 0, false

local function set_aside(message_index, kind, id)
  special[#special + 1] = { message_index, kind, id or '' }
  if kind ~= 'dup' then failed = true end
end

local function set_all_aside(t, kind)
  for i = t.index, t.index + t.count - 1 do set_aside(i, kind) end
  t.storing, t.stored = {}, 0
end

-- which messages of a topic that have options are stored
local function choose(t)
  t.storing = {}
  local by_key = {}
  for _, message in ipairs(t.messages) do
    local o = message.options
    local known, twin
    if o.idem then
      local field = t.name .. ' ' .. o.idem
      known = redis.call('HGET', idem_now, field) or redis.call('HGET', idem_before, field)
        or redis.call('HGET', idem_after, field)
      twin = by_key[o.idem]
    end
    if known then
      local id, hash = string.match(known, '^(%S+) (%S+)$')
      set_aside(message.index, hash == o.hash and 'dup' or 'conflict', id)
    elseif twin then
      if twin.options.hash == o.hash then message.twin = twin else set_aside(message.index, 'conflict') end
    else
      if o.idem then by_key[o.idem] = message end
      t.storing[#t.storing + 1] = message
    end
  end
  t.stored = #t.storing
end

for i, t in ipairs(topics) do
  t.stream = KEYS[FIRST_KEY + i - 1]
  local kind = redis.call('TYPE', t.stream).ok
  if kind ~= 'none' and kind ~= 'stream' then
    set_all_aside(t, 'type')
    t.messages = {}
  elseif t.messages then
    choose(t)
  else
    t.stored = t.count
  end
  total = total + t.stored
end
if atomic and failed then
  local known = {}
  for _, s in ipairs(special) do known[s[1]] = true end
  for _, t in ipairs(topics) do
    for i = t.index, t.index + t.count - 1 do
      if not known[i] then set_aside(i, 'aborted') end
    end
    t.messages, t.storing, t.stored = {}, {}, 0
  end
  total = 0
end

-- the write pass
local clock_ms, clock_seq = id_parts(r.clock)
local ms = math.max(r.now, clock_ms)
local seq = r.gen * 65536
if ms == clock_ms and clock_seq >= seq then seq = clock_seq + 1 end
-- ids past the last of a millisecond would be the next generation's
if seq - r.gen * 65536 + total > 65536 then
  ms = ms + 1
  seq = r.gen * 65536
end
local id_start = string.format('%.0f-', ms)
local now_text = string.format('%.0f', r.now)
local clock = r.clock
local firsts, changed, remembered = {}, {}, {}

-- what a message has beside its body; most have nothing
local function extra_fields(o)
  local extra = {}
  local function add(name, value)
    extra[#extra + 1] = name
    extra[#extra + 1] = value
  end
  if o and o.ttl then add('x', string.format('%.0f', r.now + o.ttl)) end
  if o and o.key then add('k', o.key) end
  if ms ~= r.now then add('t', now_text) end
  return extra
end

local function add_message(t, body, o)
  local id = id_start .. string.format('%.0f', seq)
  t.number = t.number + 1
  if o or ms ~= r.now then
    redis.call('XADD', t.stream, id, 'm', body, 'p', t.last, 's', t.number, unpack(extra_fields(o)))
  else
    redis.call('XADD', t.stream, id, 'm', body, 'p', t.last, 's', t.number)
  end
  if o and o.idem then
    remembered[#remembered + 1] = t.name .. ' ' .. o.idem
    remembered[#remembered + 1] = id .. ' ' .. o.hash
  end
  t.last = id
  seq = seq + 1
  local size = #body
  t.bytes = t.bytes + size
  if size > t.largest then t.largest = size end
end

local function frame_of(t, first, previous)
  local kind, lines = 'F', t.text
  if t.bytes > frame_max then
    kind, lines = 'I', nil
  elseif t.messages then
    kind, lines = 'X', {}
    for i, message in ipairs(t.storing) do
      local o = message.options
      lines[i] = (o.ttl and string.format('%.0f', r.now + o.ttl) or '') .. ' ' .. message.body
    end
    lines = table.concat(lines, '\\n')
  end
  local head = table.concat({ kind, clock, previous, first, t.stored, now_text, t.name }, ' ')
  return lines and head .. '\\n' .. lines or head
end

for i, t in ipairs(topics) do
  if t.stored == 0 then
    firsts[i] = ''
  else
    local new = true
    t.last, t.number, t.largest, t.bytes = r.purged, 0, 0, 0
    if states[i] then
      local last, number_in_topic, largest, deleted = string.match(states[i], '^(%S+) (%d+) (%d+) ?(%d*)$')
      t.last, t.number, t.largest = last, tonumber(number_in_topic), tonumber(largest)
      new = deleted ~= ''
    end
    local previous, first = t.last, id_start .. string.format('%.0f', seq)
    if t.messages then
      for _, message in ipairs(t.storing) do
        add_message(t, message.body, message.options)
        message.id = t.last
      end
    else
      for _, body in ipairs(t.bodies) do add_message(t, body) end
    end
    redis.call('XADD', log, t.last, 't', t.name, 'f', first, 'n', t.stored, 'b', t.bytes, 'p', clock)
    changed[#changed + 1] = fields[i]
    changed[#changed + 1] = t.last .. ' ' .. string.format('%.0f', t.number) .. ' ' .. string.format('%.0f', t.largest)
    if new then redis.call('ZADD', topics_key, 0, t.name) end
    firsts[i] = first
    t.frame = frame_of(t, first, previous)
    clock = t.last
    trim(t.stream, settings[i], defaults, r.now, 1000 + t.stored)
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
  for _, message in ipairs(t.messages or {}) do
    if message.twin and message.twin.id then set_aside(message.index, 'dup', message.twin.id) end
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
