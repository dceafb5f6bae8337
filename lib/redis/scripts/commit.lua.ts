import { APPEND } from "./append.lua.ts";
import { REIGN } from "./reign.lua.ts";

/**
 * Stores one commit: the messages of many publishers, sorted by topic, and publishes a frame for each topic.
 *
 * KEYS: 1 meta, 2 gens, 3 log, 4 settings, 5 topics, 6 lane; from 7 on the stream of each topic.
 *
 * ARGV: 1 the caller's claim; 2 number of the commit on its
 * lane; 3 key base; 4 channel base; 5 default most messages a topic; 6 default most age in ms, 0 for none; 7 idempotency
 * window in ms; 8 most log entries; 9 largest frame with bodies in bytes; 10 "1" for all or none; 11 how long a lane's
 * record is kept in ms; 12 how many times its most messages a topic's work may be before it is full; then for each topic
 * its name, its number of messages, their bodies and their options, one a line each:
 * a message's options are a JSON object with `ttl` (ms), `idem`, `hash`, `key`, `delay` (ms) or `at` (ms since 1970) with
 * a `nonce`, `conf` (awaited confirmations) and `req` (an awaited reply), or an empty line, and the whole
 * argument is empty where no message has any. Two arguments for each message would cost the client more than the rest.
 *
 * Returns a JSON text: `gen`, `clock`, `firsts` (for each topic the id of its first stored message, "" where none was)
 * and `special` (a list of [index of the message, "dup" | "conflict" | "type" | "aborted" | "full" | "later" |
 * "laterdup", id, time]; of a full topic the group that holds it up is the id, of a message kept for later its token).
 * Messages that are not special have consecutive ids from their topic's first. The text is kept as the lane's record and
 * returned again when the same number is sent again; a lower number is an error, STALE. Topics that some pattern groups
 * do not know yet are an error, UNADOPTED, before anything is done.
 *
 * First everything is validated, then XADD comes first of all writes: Redis checks its memory at a script's first write
 * only, and an error half-way would leave a half.
 */
export const COMMIT = REIGN + APPEND + `
local meta, gens, log, settings_key, topics_key, lane = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local number = tonumber(ARGV[2])
local base, channels = ARGV[3], ARGV[4]
local defaults = { max = tonumber(ARGV[5]), age = tonumber(ARGV[6]) }
local window = tonumber(ARGV[7])
local atomic, lane_ttl, backlog_factor = ARGV[10] == '1', ARGV[11], tonumber(ARGV[12])
local FIRST_KEY, FIRST_ARG = 7, 13

local record = redis.call('GET', lane)
local r, failure = reign(meta, gens, ARGV[1])
if not r then return failure end
if record then
  local done, reply = string.match(record, '^(%d+) (.*)$')
  done = tonumber(done)
  if done == number then
    -- WAIT looks at what its own link has written, so that a call that is sent again on a new one must write too
    redis.call('PEXPIRE', lane, lane_ttl)
    return reply
  end
  if done > number then return redis.error_reply('STALE commit ' .. number .. ' of a lane that is at ' .. done) end
end
if r.state ~= 'open' then return closed(r) end

-- the read pass
for key, wanted in pairs({ [log] = 'stream', [topics_key] = 'zset' }) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= wanted then return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind) end
end
local names, fields, parts = {}, {}, {}
local at, index = FIRST_ARG, 0
while at <= #ARGV do
  local p = { name = ARGV[at], count = tonumber(ARGV[at + 1]), text = ARGV[at + 2], index = index, storing = {}, later = {} }
  local bodies, text = p.storing, p.text
  local find, sub = string.find, string.sub
  local from, lines = 1, 1
  -- to find a byte costs a third of matching a pattern
  local to = find(text, '\\n', 1, true)
  while to do
    bodies[lines] = sub(text, from, to - 1)
    lines, from = lines + 1, to + 1
    to = find(text, '\\n', from, true)
  end
  bodies[lines] = sub(text, from)
  if lines ~= p.count then return redis.error_reply('ERR a body has a line break') end
  if ARGV[at + 3] ~= '' then
    p.messages = {}
    for line in string.gmatch(ARGV[at + 3], '([^\\n]*)\\n') do
      local i = #p.messages + 1
      p.messages[i] = { body = bodies[i], line = line, options = line ~= '' and cjson.decode(line) or {}, index = index + i - 1 }
    end
  end
  index = index + p.count
  at = at + 4
  parts[#parts + 1] = p
  names[#names + 1] = p.name
  fields[#fields + 1] = 't:' .. p.name
end
local states = redis.call('HMGET', meta, unpack(fields))
local settings = redis.call('HMGET', settings_key, unpack(names))
local bucket = math.floor(r.now / window)
local idem_now = base .. ':i:' .. int(bucket)
local idem_before = base .. ':i:' .. int(bucket - 1)
-- the primary before may have had a clock that was ahead of this one's
local idem_after = base .. ':i:' .. int(bucket + 1)
local special, total, failed = {}, 0, false
local w = new_writer(r, { base = base, channels = channels, meta = meta, log = log, settings = settings_key,
  topics = topics_key, defaults = defaults, log_max = ARGV[8], frame_max = tonumber(ARGV[9]) })

local function set_aside(message_index, kind, id, time)
  special[#special + 1] = { message_index, kind, id or '', time }
  if kind == 'conflict' or kind == 'type' or kind == 'full' or kind == 'aborted' then failed = true end
end

local function set_all_aside(p, kind, id)
  for i = p.index, p.index + p.count - 1 do set_aside(i, kind, id) end
  p.storing, p.messages, p.later = {}, {}, {}
end

-- what is remembered of a message: "<id> <hash>", of one kept for later "<token>@<time> <hash>"
local function set_known_aside(message_index, known, hash)
  local id, known_hash = string.match(known, '^(%S+) (%S+)$')
  if known_hash ~= hash then return set_aside(message_index, 'conflict', id) end
  local token, time = string.match(id, '^(.+)@(%d+)$')
  if token then return set_aside(message_index, 'laterdup', token, tonumber(time)) end
  set_aside(message_index, 'dup', id)
end

-- which messages of a topic that have options are stored
local function choose(p)
  p.storing = {}
  local by_key = {}
  for _, message in ipairs(p.messages) do
    local o = message.options
    local known, twin
    if o.idem then
      local field = p.name .. ' ' .. o.idem
      known = redis.call('HGET', idem_now, field) or redis.call('HGET', idem_before, field)
        or redis.call('HGET', idem_after, field)
      twin = by_key[o.idem]
    end
    if known then
      set_known_aside(message.index, known, o.hash)
    elseif twin then
      if twin.options.hash == o.hash then message.twin = twin else set_aside(message.index, 'conflict') end
    else
      if o.idem then by_key[o.idem] = message end
      local list = (o.delay or o.at) and p.later or p.storing
      list[#list + 1] = message
    end
  end
end

-- the group whose work has filled a topic
local function filled_by(t, text)
  local limit = retention_of(text, defaults) * backlog_factor
  for gkey, m in pairs(t.members) do
    if t.number - m.done >= limit then return gkey end
  end
end

local not_adopted = {}
for i, p in ipairs(parts) do
  local t = topic_named(w, p.name, states[i])
  t.settings = settings[i]
  p.topic = t
  local kind = redis.call('TYPE', KEYS[FIRST_KEY + i - 1]).ok
  if kind ~= 'none' and kind ~= 'stream' then
    set_all_aside(p, 'type')
  else
    if unadopted(r, base, p.name, t) then not_adopted[#not_adopted + 1] = p.name end
    if p.messages then choose(p) end
    local full = t.groups > 0 and #p.storing > 0 and filled_by(t, settings[i])
    if full and not p.messages then
      set_all_aside(p, 'full', full)
    elseif full then
      for _, message in ipairs(p.storing) do set_aside(message.index, 'full', full) end
      p.storing = {}
    end
  end
  total = total + #p.storing
end
if #not_adopted > 0 then return unadopted_error(not_adopted) end
if atomic and failed then
  local known = {}
  for _, s in ipairs(special) do known[s[1]] = true end
  for _, p in ipairs(parts) do
    for i = p.index, p.index + p.count - 1 do
      if not known[i] then set_aside(i, 'aborted') end
    end
    p.messages, p.storing, p.later = {}, {}, {}
  end
  total = 0
end

-- the write pass
reserve(w, total)
local firsts = {}
for i, p in ipairs(parts) do
  firsts[i] = #p.storing > 0 and append(w, p.topic, p.storing, not p.messages and p.text or nil) or ''
end
finish(w)

local soonest
local function keep_for_later(p, message)
  local o = message.options
  local time = o.at or r.now + o.delay
  local token = string.format('%015.0f', redis.call('HINCRBY', meta, 'ln', 1)) .. '-' .. o.nonce
  redis.call('ZADD', base .. ':later', int(time), token)
  redis.call('HSET', base .. ':later:m', token, p.name .. '\\n' .. message.line .. '\\n' .. message.body)
  message.id = token .. '@' .. int(time)
  if o.idem then
    w.remembered[#w.remembered + 1] = p.name .. ' ' .. o.idem
    w.remembered[#w.remembered + 1] = message.id .. ' ' .. o.hash
  end
  set_aside(message.index, 'later', token, time)
  soonest = math.min(soonest or time, time)
end
for _, p in ipairs(parts) do
  for _, message in ipairs(p.later) do keep_for_later(p, message) end
end
if #w.remembered > 0 then
  redis.call('HSET', idem_now, unpack(w.remembered))
  redis.call('PEXPIRE', idem_now, int(window * 2))
end
for _, p in ipairs(parts) do
  for _, message in ipairs(p.messages or {}) do
    local twin = message.twin
    if twin and twin.id then set_known_aside(message.index, twin.id .. ' ' .. twin.options.hash, twin.options.hash) end
  end
end
local reply = '{"gen":' .. int(r.gen) .. ',"clock":"' .. w.clock .. '","firsts":' .. cjson.encode(firsts)
  .. ',"special":' .. (#special > 0 and cjson.encode(special) or '[]') .. '}'
redis.call('SET', lane, int(number) .. ' ' .. reply, 'PX', lane_ttl)
publish_frames(w)
if soonest then publish(channels .. ':ctl', 'L ' .. int(soonest)) end
return reply
`;
