import { TOPIC_STATE } from "./topic_state.lua.ts";
import { TRIM } from "./trim.lua.ts";

/**
 * Lua shared by every script that puts messages into topics: gives out ids, writes the topics' streams and the log, and
 * makes the frames. A script opens a `writer`, calls `append` for one topic after the other, then `finish`, which trims
 * and writes what meta knows, and `publish_frames` when nothing can fail any more.
 *
 * A message is its body, or a table of `body`, `options` (ttl, key, idem, hash, conf, req) and `extra` (further fields of
 * its entry). Needs REIGN.
 */
export const APPEND = TOPIC_STATE + TRIM + `
-- at: base, channels, meta, log, settings, topics (keys), defaults, log_max, frame_max
local function new_writer(r, at)
  local clock_ms, clock_seq = id_parts(r.clock)
  local w = { r = r, at = at, clock = r.clock, ms = math.max(r.now, clock_ms), seq = r.gen * 65536 + r.first, known = {},
    touched = {}, frames = {}, remembered = {}, appended = 0, now_text = int(r.now) }
  if w.ms == clock_ms and clock_seq >= w.seq then w.seq = clock_seq + 1 end
  w.id_start = int(w.ms) .. '-'
  return w
end

-- makes sure that the next ids are consecutive: past the last of a millisecond they would be another's
local function reserve(w, count)
  local first = w.r.gen * 65536 + w.r.first
  if w.seq - first + count <= w.r.most then return end
  w.ms = w.ms + 1
  w.seq = first
  w.id_start = int(w.ms) .. '-'
end

-- a topic by its name; text is its line in meta, false where there is none, nil where it is to be read
local function topic_named(w, name, text)
  local t = w.known[name]
  if t then return t end
  if text == nil then text = redis.call('HGET', w.at.meta, 't:' .. name) end
  if text then
    t = read_topic(text)
    t.new = t.deleted > 0 or t.number == 0
  else
    t = { last = w.r.purged, number = 0, largest = 0, deleted = 0, gv = 0, groups = 0, new = true }
  end
  t.name = name
  t.stream = w.at.base .. ':t:' .. name
  if t.groups > 0 then t.members = read_members(w.at.base, name) end
  w.known[name] = t
  return t
end

local function extra_fields(w, message)
  local extra, o = {}, message.options
  local function add(name, value)
    extra[#extra + 1] = name
    extra[#extra + 1] = value
  end
  if o and o.ttl then add('x', int(w.r.now + o.ttl)) end
  if o and o.key then add('k', o.key) end
  if w.ms ~= w.r.now then add('t', w.now_text) end
  for _, text in ipairs(message.extra or {}) do extra[#extra + 1] = text end
  return extra
end

-- what waits for answers to a message must be there before the first can come
local function await_answers(w, t, id, o)
  if o.conf then
    local key = w.at.base .. ':f:' .. id
    redis.call('HSET', key, '*', int(o.conf.n), 'p', o.conf.proc, 't', t.name)
    redis.call('PEXPIRE', key, int(o.conf.ms + 60000))
  end
  if o.req then
    local key = w.at.base .. ':q:' .. o.req.id
    redis.call('HSET', key, 'n', int(o.req.n), 'p', o.req.proc, 't', id, 'of', t.name)
    redis.call('PEXPIRE', key, int(o.req.ms + 5000))
  end
end

-- a message that may have more than a body, and a time of its own
local function add_message(w, t, message)
  local id = w.id_start .. int(w.seq)
  local body = message.body
  redis.call('XADD', t.stream, id, 'm', body, 'p', t.last, 's', t.number + 1, unpack(extra_fields(w, message)))
  local o = message.options
  if o and o.idem then
    w.remembered[#w.remembered + 1] = t.name .. ' ' .. o.idem
    w.remembered[#w.remembered + 1] = id .. ' ' .. o.hash
  end
  if o and (o.conf or o.req) then await_answers(w, t, id, o) end
  message.id = id
  t.last = id
  t.number = t.number + 1
  t.largest = math.max(t.largest, #body)
  w.seq = w.seq + 1
  return #body
end

-- '%d' takes half of the time, where a C long has 64 bits
local WHOLE = string.format('%d', 2 ^ 40) == '1099511627776' and '%d' or '%.0f'

-- bodies alone, as most are; what is looked up for each of them costs as much as storing it
local function add_bodies(w, t, bodies)
  local call, format = redis.call, string.format
  local stream, id_start = t.stream, w.id_start
  local last, number, largest, seq, bytes = t.last, t.number, t.largest, w.seq, 0
  for i = 1, #bodies do
    local body = bodies[i]
    local id, size = id_start .. format(WHOLE, seq), #body
    number = number + 1
    call('XADD', stream, id, 'm', body, 'p', last, 's', number)
    last = id
    seq = seq + 1
    bytes = bytes + size
    if size > largest then largest = size end
  end
  t.last, t.number, t.largest, w.seq = last, number, largest, seq
  return bytes
end

local function add_messages(w, t, messages, text)
  if text and w.ms == w.r.now then return add_bodies(w, t, messages) end
  local bytes = 0
  for _, message in ipairs(messages) do
    bytes = bytes + add_message(w, t, type(message) == 'string' and { body = message } or message)
  end
  return bytes
end

local function frame_of(w, t, f)
  local kind, lines = 'F', f.text
  if f.bytes > w.at.frame_max then
    kind, lines = 'I', nil
  elseif not lines then
    kind, lines = 'X', {}
    for i, message in ipairs(f.messages) do
      local plain = type(message) == 'string'
      local ttl = not plain and message.options and message.options.ttl
      lines[i] = (ttl and int(w.r.now + ttl) or '') .. ' ' .. (plain and message or message.body)
    end
    lines = table.concat(lines, '\\n')
  end
  local head = table.concat({ kind, w.clock, f.previous, f.first, #f.messages, w.now_text, t.name }, ' ')
  return lines and head .. '\\n' .. lines or head
end

-- returns the id of the first message; text is their bodies joined by line breaks, where all are plain
local function append(w, t, messages, text)
  reserve(w, #messages)
  local f = { messages = messages, text = text, previous = t.last, first = w.id_start .. int(w.seq) }
  f.bytes = add_messages(w, t, messages, text)
  redis.call('XADD', w.at.log, t.last, 't', t.name, 'f', f.first, 'n', #messages, 'b', f.bytes, 'p', w.clock)
  w.frames[#w.frames + 1] = { name = t.name, payload = frame_of(w, t, f) }
  w.clock = t.last
  w.appended = w.appended + #messages
  if not t.touched then
    t.touched = true
    t.step = 1000
    w.touched[#w.touched + 1] = t
    for gkey in pairs(t.members or {}) do
      if is_pattern(gkey) then
        redis.call('ZADD', w.at.base .. ':g:' .. gkey .. ':ready', 'NX', string.match(f.first, '^%d+'), t.name)
      end
    end
  end
  t.step = t.step + #messages
  return f.first
end

local function finish(w)
  if w.appended == 0 then return end
  local changed = { 'clock', w.clock }
  for _, t in ipairs(w.touched) do
    if t.new then redis.call('ZADD', w.at.topics, 0, t.name) end
    t.deleted = 0
    changed[#changed + 1] = 't:' .. t.name
    changed[#changed + 1] = topic_text(t)
    local settings = t.settings
    if settings == nil then settings = redis.call('HGET', w.at.settings, t.name) end
    trim(t.stream, settings, w.at.defaults, w.r.now, t.step, keep_of(w.at.base, t.name, t))
  end
  redis.call('XTRIM', w.at.log, 'MAXLEN', '~', w.at.log_max)
  redis.call('HSET', w.at.meta, unpack(changed))
end

-- frames go to this node's subscribers only: a replica's would run ahead of what it stores
local function publish_frames(w)
  redis.set_repl(redis.REPL_NONE)
  for _, frame in ipairs(w.frames) do
    publish(w.at.channels .. ':c:' .. frame.name, frame.payload)
    publish(w.at.channels .. ':all', frame.payload)
  end
end
`;
