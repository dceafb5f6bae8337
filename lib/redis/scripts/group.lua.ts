/**
 * Lua of groups: a `desk` does pulls and acknowledgements and writes down in the end what they changed, or when one of
 * them must read what another has changed: a write of each would cost more than all the rest. Needs APPEND.
 *
 * Of a group there is a hash with `lease` (the number of the last one), `gen` (in which generation that was), `max` (most
 * deliveries, where it was set), `seen` (the latest time a pull saw), `span` (the longest lease or delay so far), `since`
 * and `deleting`; `:due`, when each message that was given out or given back is due again; `:held`, its copy "topic time
 * expires body", so that retention waits for cursors only; `:lease`, "deliveries lease state topic consumer" with state L
 * (leased) or W (waiting); `:n`, how many each consumer holds; `:seen`, when each was; `:c`, the last attempt of each,
 * "attempt lease process ids".
 *
 * Leases use raw time. After the clock went back, what is due later than the longest span from now counts as due.
 */
export const GROUP = `
local EXAMINED, IDLE_MS = 50, 600000
-- no name has this character
local NOBODY = '*'

local function new_desk(w, max_deliveries, bytes)
  return { w = w, base = w.at.base, now = w.r.now, max_deliveries = max_deliveries, bytes = bytes, groups = {}, order = {},
    wakes = {}, rooms = {}, wanted = {}, changed = false }
end

-- pulls that are still to come want so many messages more of a group
local function want(desk, gkey, more)
  desk.wanted[gkey] = (desk.wanted[gkey] or 0) + more
end

-- one command for many values, in parts: unpack has a limit
local function write_many(command, key, values)
  for i = 1, #values, 4000 do redis.call(command, key, unpack(values, i, math.min(i + 3999, #values))) end
end

local function group_named(desk, gkey)
  local g = desk.groups[gkey]
  if g then return g end
  local key = desk.base .. ':g:' .. gkey
  local h = redis.call('HMGET', key, 'lease', 'max', 'seen', 'span', 'deleting', 'gen')
  g = { gkey = gkey, key = key, exists = h[1] and true, lease = tonumber(h[1] or 0), max = tonumber(h[2]) or desk.max_deliveries,
    seen = tonumber(h[3] or 0), span = tonumber(h[4] or 0), deleting = h[5] and true, gen = tonumber(h[6] or desk.w.r.gen),
    pattern = is_pattern(gkey), counts = {}, members = {}, held = {}, leases = {}, due = {}, gone = {}, gone_set = {},
    pending = {}, seen_now = {}, idle = {} }
  desk.groups[gkey] = g
  desk.order[#desk.order + 1] = g
  return g
end

local function topic_of(desk, name)
  return topic_named(desk.w, name)
end

-- the group's line of a topic; nil where it does not consume it
local function member_of(desk, g, name)
  local t = topic_of(desk, name)
  local m = t.members and t.members[g.gkey]
  if m then g.members[name] = t end
  return m, t
end

-- where a group that starts at since stands in a topic: "latest", "earliest", "last:<n>" or an id
local function position_at(t, since)
  if since == 'latest' then return { cursor = t.last, number = t.number } end
  local length = redis.call('XLEN', t.stream)
  local first
  if since == 'earliest' then
    first = redis.call('XRANGE', t.stream, '-', '+', 'COUNT', 1)[1]
  elseif string.sub(since, 1, 5) == 'last:' then
    local n = math.min(tonumber(string.sub(since, 6)), length)
    if n > 0 then first = redis.call('XREVRANGE', t.stream, '+', '-', 'COUNT', n)[n] end
  else
    first = redis.call('XRANGE', t.stream, '(' .. since, '+', 'COUNT', 1)[1]
  end
  if not first then return { cursor = t.last, number = t.number } end
  local m = { cursor = '0-0', number = 0 }
  for i = 1, #first[2], 2 do
    if first[2][i] == 'p' then m.cursor = first[2][i + 1] end
    if first[2][i] == 's' then m.number = tonumber(first[2][i + 1]) - 1 end
  end
  return m
end

-- makes a group consume a topic, whose line in meta is written by whoever calls
local function join(base, t, gkey, since)
  t.members = t.members or {}
  if t.members[gkey] then return end
  local m = position_at(t, since)
  m.done, m.dead = m.number, 0
  t.members[gkey] = m
  t.groups = t.groups + 1
  redis.call('HSET', base .. ':tg:' .. t.name, gkey, member_text(m))
  if is_pattern(gkey) then
    redis.call('SADD', base .. ':g:' .. gkey .. ':topics', t.name)
    if m.number < t.number then
      redis.call('ZADD', base .. ':g:' .. gkey .. ':ready', 'NX', string.match(m.cursor, '^%d+'), t.name)
    end
  end
end

local function create(desk, g, sub, since)
  local w = desk.w
  g.exists, g.lease = true, desk.now
  redis.call('HSET', g.key, 'lease', int(g.lease), 'gen', int(g.gen), 'since', since)
  if g.pattern then
    redis.call('HSET', desk.base .. ':pg', g.gkey, since)
    w.r.gv = redis.call('HINCRBY', w.at.meta, 'gv', 1)
  else
    local t = topic_of(desk, sub)
    join(desk.base, t, g.gkey, since)
    redis.call('HSET', w.at.meta, 't:' .. sub, topic_text(t))
    redis.call('ZADD', w.at.topics, 0, sub)
  end
  desk.changed = true
end

local function count(g, consumer, by)
  if consumer ~= NOBODY then g.counts[consumer] = (g.counts[consumer] or 0) + by end
end

local function read_lease(text)
  local deliveries, lease, state, topic, consumer = string.match(text, '^(%d+) (%d+) (%a) (%S+) (%S+)$')
  return { deliveries = tonumber(deliveries), lease = lease, state = state, topic = topic, consumer = consumer }
end

local function lease_text(l)
  return l.deliveries .. ' ' .. l.lease .. ' ' .. l.state .. ' ' .. l.topic .. ' ' .. l.consumer
end

local function set_due(desk, g, id, time)
  g.pending[id] = true
  if time <= desk.now then g.none_due = false end
  g.due[#g.due + 1] = int(time)
  g.due[#g.due + 1] = id
end

local function set_lease(g, id, l)
  g.pending[id] = true
  g.leases[#g.leases + 1] = id
  g.leases[#g.leases + 1] = lease_text(l)
end

-- whether a message came before its topic was deleted
local function was_deleted(desk, g, id, name)
  local t = topic_of(desk, name)
  if t.deletion == nil then t.deletion = redis.call('HGET', desk.base .. ':tg:' .. name, 'z') or '0-0' end
  return not id_after(id, t.deletion)
end

local function set_gone(g, list, id)
  g.pending[id] = true
  list[#list + 1] = id
end

-- a message leaves the group for good
local function leave(desk, g, id, l)
  set_gone(g, g.gone, id)
  if was_deleted(desk, g, id, l.topic) then return end
  local m = member_of(desk, g, l.topic)
  if m then m.done = m.done + 1 end
end

-- a stored body with more headers, made of texts: decoding would damage numbers. Headers come before the data, and no
-- string contains a quote without a backslash before it.
local function with_headers(body, headers)
  local text = {}
  for i = 1, #headers, 2 do text[#text + 1] = cjson.encode(headers[i]) .. ':' .. cjson.encode(headers[i + 1]) end
  text = table.concat(text, ',')
  local data = string.find(body, '[{,]"data":') or string.find(body, '[{,]"dataBase64":') or #body
  local base64 = string.find(body, '[{,]"dataBase64":')
  if base64 and base64 < data then data = base64 end
  local known, known_end = string.find(body, '[{,]"headers":{')
  if known and known < data then
    local comma = string.sub(body, known_end + 1, known_end + 1) == '}' and '' or ','
    return string.sub(body, 1, known_end) .. text .. comma .. string.sub(body, known_end + 1)
  end
  return string.sub(body, 1, data) .. '"headers":{' .. text .. '},' .. string.sub(body, data + 1)
end

local function die(desk, g, id, l, copy, reason)
  local body = string.match(copy, '^%S+ %S+ %S+ (.*)$')
  local t = topic_of(desk, '$dead.' .. l.topic)
  local group = string.match(g.gkey, '|([^|]*)$')
  append(desk.w, t, { {
    body = with_headers(body, { 'dead-reason', reason, 'dead-group', group, 'dead-deliveries', int(l.deliveries), 'dead-id', id }),
    options = {}, extra = { 'g', g.gkey, 'o', id },
  } })
  redis.call('ZADD', desk.base .. ':dead:' .. l.topic, int(t.number), t.last)
  set_gone(g, g.gone_set, id)
  local m = member_of(desk, g, l.topic)
  if m then m.dead = m.dead + 1 end
end

local function wake_topic(desk, g, name, time)
  local key = name .. ' ' .. g.gkey
  local known = desk.wakes[key]
  if not known or known.time > time then desk.wakes[key] = { name = name, gkey = g.gkey, time = time } end
end

-- a consumer that holds as many as it may has room again
local function tell_consumer(desk, g, consumer)
  if consumer == NOBODY then return end
  local key = g.gkey .. ' ' .. consumer
  if desk.rooms[key] ~= nil then return end
  local record = redis.call('HGET', g.key .. ':c', consumer)
  local process = record and string.match(record, '^%S+ %S+ (%S+)') or '-'
  desk.rooms[key] = process ~= '-' and { process = process, gkey = g.gkey } or false
end

local function held_copy(name, id, fields)
  local body, expires, time = '', 0, string.match(id, '^%d+')
  for i = 1, #fields, 2 do
    local field, value = fields[i], fields[i + 1]
    if field == 'm' then body = value elseif field == 'x' then expires = value elseif field == 't' then time = value end
  end
  return name .. ' ' .. time .. ' ' .. expires .. ' ' .. body, tonumber(expires)
end

local function give(desk, p, g, id, l, copy)
  p.ids[#p.ids + 1] = id
  p.deliveries[#p.deliveries + 1] = l.deliveries
  p.copies[#p.copies + 1] = copy
  p.bytes = p.bytes + #copy
  set_lease(g, id, l)
  set_due(desk, g, id, p.ends)
  count(g, l.consumer, 1)
end

local function new_lease(desk, g, p, o)
  if p.lease then return end
  -- a primary whose tail was lost may have given out the numbers that come next, and their holders may still ask
  local gen = desk.w.r.gen
  g.lease = math.max(g.lease + 1 + (gen - g.gen) * 65536, 1)
  g.gen = gen
  p.lease = int(g.lease)
  p.ends = desk.now + o.lease_ms
  g.span = math.max(g.span, o.lease_ms)
  g.touched = true
end

-- what the operations so far have changed is written down, for what comes next to read
local function flush(desk, g)
  if next(g.pending) == nil and next(g.counts) == nil then return end
  desk.changed = true
  write_many('HDEL', g.key .. ':held', g.gone)
  write_many('HDEL', g.key .. ':lease', g.gone)
  write_many('ZREM', g.key .. ':due', g.gone)
  write_many('HDEL', g.key .. ':lease', g.gone_set)
  write_many('ZREM', g.key .. ':due', g.gone_set)
  write_many('HSET', g.key .. ':held', g.held)
  write_many('HSET', g.key .. ':lease', g.leases)
  write_many('ZADD', g.key .. ':due', g.due)
  local consumers, counts, none = {}, {}, {}
  for consumer, by in pairs(g.counts) do
    if by ~= 0 then consumers[#consumers + 1] = consumer end
  end
  if #consumers > 0 then
    for i, before in ipairs(redis.call('HMGET', g.key .. ':n', unpack(consumers))) do
      local now = tonumber(before or 0) + g.counts[consumers[i]]
      if now > 0 then
        counts[#counts + 1] = consumers[i]
        counts[#counts + 1] = int(now)
      else
        none[#none + 1] = consumers[i]
      end
    end
    write_many('HSET', g.key .. ':n', counts)
    write_many('HDEL', g.key .. ':n', none)
  end
  g.gone, g.gone_set, g.held, g.leases, g.due, g.counts, g.pending = {}, {}, {}, {}, {}, {}, {}
end

local function due_ids(desk, g, most)
  local ids = redis.call('ZRANGEBYSCORE', g.key .. ':due', '-inf', int(desk.now), 'LIMIT', 0, most)
  if desk.now < g.seen and #ids < most then
    local far = redis.call('ZRANGEBYSCORE', g.key .. ':due', '(' .. int(desk.now + g.span), '+inf', 'LIMIT', 0, most - #ids)
    for _, id in ipairs(far) do ids[#ids + 1] = id end
  end
  return ids
end

local function has_room(desk, p, o)
  return #p.ids < o.max and p.room > 0 and p.bytes < desk.bytes
end

local function take_due(desk, g, p, o)
  if g.none_due then return end
  flush(desk, g)
  local most = math.min(o.max, 1000) + EXAMINED
  local ids = due_ids(desk, g, most)
  g.none_due = #ids < most
  if #ids == 0 then return end
  local leases = redis.call('HMGET', g.key .. ':lease', unpack(ids))
  for i, id in ipairs(ids) do
    local l = leases[i] and read_lease(leases[i])
    local copy = l and redis.call('HGET', g.key .. ':held', id)
    if not copy then
      set_gone(g, g.gone, id)
    else
      local expires = tonumber(string.match(copy, '^%S+ %S+ (%S+)'))
      local own = l.consumer == p.consumer and l.state == 'L'
      local dead = l.deliveries >= g.max
      if was_deleted(desk, g, id, l.topic) or (expires > 0 and expires <= desk.now) then
        if l.state == 'L' then count(g, l.consumer, -1) end
        if own then p.room = p.room + 1 end
        leave(desk, g, id, l)
      elseif dead then
        if l.state == 'L' then count(g, l.consumer, -1) end
        if own then p.room = p.room + 1 end
        die(desk, g, id, l, copy, l.state == 'L' and 'lease ran out' or 'nack')
      else
        if own then p.room = p.room + 1 end
        if has_room(desk, p, o) then
          new_lease(desk, g, p, o)
          if l.state == 'L' then count(g, l.consumer, -1) end
          l.deliveries, l.lease, l.state, l.consumer = l.deliveries + 1, p.lease, 'L', p.consumer
          give(desk, p, g, id, l, copy)
          p.room = p.room - 1
        else
          if own then p.room = p.room - 1 end
          p.more, g.none_due = true, false
        end
      end
    end
  end
  if #ids == most then p.more = true end
end

-- the next message after the cursor; nil where there is none. What the pulls behind this one want is read with it, but
-- not of a pattern, where they take from other topics
local function next_entry(desk, g, p, o, t, m)
  local ahead = m.ahead
  if not ahead or ahead.at > #ahead then
    local function fits(bytes) return math.floor(bytes / math.max(t.largest, 1)) end
    local own = math.min(o.max - #p.ids, p.room, math.max(1, fits(desk.bytes - p.bytes)))
    local others = g.pattern and 0 or math.min(desk.wanted[g.gkey] or 0, fits(desk.bytes))
    ahead = redis.call('XRANGE', t.stream, '(' .. m.cursor, '+', 'COUNT', own + others)
    ahead.at = 1
    m.ahead = ahead
  end
  local entry = ahead[ahead.at]
  ahead.at = ahead.at + 1
  return entry
end

-- what comes after the cursor in one topic; returns whether something is left there
local function take_fresh(desk, g, p, o, name)
  local m, t = member_of(desk, g, name)
  if not m then return false end
  while m.number < t.number and has_room(desk, p, o) do
    local entry = next_entry(desk, g, p, o, t, m)
    if not entry then
      m.cursor, m.done, m.number = t.last, m.done + t.number - m.number, t.number
    else
      local id = entry[1]
      local copy, expires = held_copy(name, id, entry[2])
      m.cursor, m.number = id, m.number + 1
      if expires > 0 and expires <= desk.now then
        m.done = m.done + 1
      else
        new_lease(desk, g, p, o)
        g.held[#g.held + 1] = id
        g.held[#g.held + 1] = copy
        give(desk, p, g, id, { deliveries = 1, lease = p.lease, state = 'L', topic = name, consumer = p.consumer }, copy)
        p.room = p.room - 1
      end
    end
    desk.changed = true
  end
  return m.number < t.number
end

local function take_ready(desk, g, p, o)
  local ready = g.key .. ':ready'
  while true do
    local name = redis.call('ZRANGE', ready, 0, 0)[1]
    if not name then return end
    if not has_room(desk, p, o) then
      p.more = true
      return
    end
    if take_fresh(desk, g, p, o, name) then
      local m = member_of(desk, g, name)
      redis.call('ZADD', ready, string.match(m.cursor, '^%d+'), name)
    else
      redis.call('ZREM', ready, name)
    end
  end
end

-- the same attempt again: what its lease still holds, for as long as a new one would
local function repeat_attempt(desk, g, p, o, lease, ids)
  flush(desk, g)
  p.repeated, p.lease, p.ends = true, lease, desk.now + o.lease_ms
  g.span = math.max(g.span, o.lease_ms)
  g.touched = true
  local list = {}
  for id in string.gmatch(ids, '[^,]+') do list[#list + 1] = id end
  local leases = redis.call('HMGET', g.key .. ':lease', unpack(list))
  for i, id in ipairs(list) do
    local l = leases[i] and read_lease(leases[i])
    local copy = l and l.lease == lease and l.state == 'L' and redis.call('HGET', g.key .. ':held', id)
    if copy then
      give(desk, p, g, id, l, copy)
      count(g, l.consumer, -1)
    end
  end
end

local function note_consumer(g, p, o)
  if p.consumer == NOBODY then return end
  g.seen_now[p.consumer] = true
  g.cleaning = g.cleaning or g.lease % 16 == 0
  if not o.attempt and o.process == '' then return end
  local process = o.process ~= '' and o.process or '-'
  local ids = o.attempt and table.concat(p.ids, ',') or ''
  redis.call('HSET', g.key .. ':c', p.consumer, (o.attempt and int(o.attempt) or '-') .. ' ' .. (p.lease or '-') .. ' ' .. process .. ' ' .. ids)
end

-- when each consumer was seen; who holds nothing and has not come for long is forgotten
local function write_consumers(desk, g)
  local seen = {}
  for consumer in pairs(g.seen_now) do
    seen[#seen + 1] = int(desk.now)
    seen[#seen + 1] = consumer
  end
  write_many('ZADD', g.key .. ':seen', seen)
  if not g.cleaning then return end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', g.key .. ':seen', '-inf', int(desk.now - IDLE_MS), 'LIMIT', 0, 20)) do
    if redis.call('HEXISTS', g.key .. ':n', name) == 0 then
      redis.call('ZREM', g.key .. ':seen', name)
      redis.call('HDEL', g.key .. ':c', name)
    end
  end
end

local function pull(desk, o)
  local g = group_named(desk, o.gkey)
  local p = { ids = {}, deliveries = {}, copies = {}, bytes = 0, consumer = o.consumer == '' and NOBODY or o.consumer, room = 1000000 }
  if g.deleting then
    p.refused = 'deleting'
    return p
  end
  if not g.exists then
    create(desk, g, o.sub, o.since)
    p.created = true
  end
  if o.attempt then
    local record = redis.call('HGET', g.key .. ':c', p.consumer)
    local attempt, lease, ids
    if record then attempt, lease, ids = string.match(record, '^(%S+) (%S+) %S+ (.*)$') end
    attempt = tonumber(attempt)
    if attempt and attempt > o.attempt then
      p.refused = 'attempt'
      return p
    end
    if attempt == o.attempt and ids ~= '' then
      repeat_attempt(desk, g, p, o, lease, ids)
      return p
    end
  end
  if o.cap then
    p.held = tonumber(redis.call('HGET', g.key .. ':n', p.consumer) or 0) + (g.counts[p.consumer] or 0)
    p.room = o.cap - p.held
  end
  if not g.dry then
    take_due(desk, g, p, o)
    if g.pattern then
      take_ready(desk, g, p, o)
    elseif take_fresh(desk, g, p, o, o.sub) then
      p.more = true
    end
    if not p.more then g.dry = true end
  end
  if #p.ids == 0 then g.idle[#g.idle + 1] = p end
  note_consumer(g, p, o)
  return p
end

local function settle(desk, o)
  local g = group_named(desk, o.gkey)
  local done, unknown = 0, {}
  if not g.exists then return 0, o.ids end
  for _, id in ipairs(o.ids) do
    if g.pending[id] then
      flush(desk, g)
      break
    end
  end
  local leases = redis.call('HMGET', g.key .. ':lease', unpack(o.ids))
  local known = {}
  for i, id in ipairs(o.ids) do
    local l = not known[id] and leases[i] and read_lease(leases[i])
    known[id] = true
    local own = l and (o.lease == '' or l.lease == o.lease)
    if own and o.kind == 'extend' and l.state ~= 'L' then own = false end
    if not own then
      unknown[#unknown + 1] = id
    else
      done = done + 1
      if o.kind == 'extend' then
        set_due(desk, g, id, desk.now + o.ms)
      else
        if l.state == 'L' then
          count(g, l.consumer, -1)
          tell_consumer(desk, g, l.consumer)
        end
        local copy = o.kind == 'nack' and l.deliveries >= g.max and redis.call('HGET', g.key .. ':held', id)
        if o.kind == 'ack' then
          leave(desk, g, id, l)
        elseif copy and not was_deleted(desk, g, id, l.topic) then
          die(desk, g, id, l, copy, 'nack')
        else
          l.state = 'W'
          set_lease(g, id, l)
          set_due(desk, g, id, desk.now + o.ms)
          wake_topic(desk, g, l.topic, desk.now + o.ms)
          g.dry = false
        end
      end
    end
  end
  if o.kind ~= 'ack' and o.ms > g.span then
    g.span = o.ms
    g.touched = true
  end
  return done, unknown
end

-- when the next of a group is due, for the pulls that were given nothing
local function tell_next(g)
  if #g.idle == 0 then return end
  local head = redis.call('ZRANGE', g.key .. ':due', 0, 0, 'WITHSCORES')
  for _, p in ipairs(g.idle) do p.next = tonumber(head[2]) end
end

-- writes down what all operations changed
local function close_desk(desk)
  for _, g in ipairs(desk.order) do
    flush(desk, g)
    write_consumers(desk, g)
    tell_next(g)
    if g.touched then
      desk.changed = true
      redis.call('HSET', g.key, 'lease', int(g.lease), 'gen', int(g.gen), 'span', int(g.span), 'seen', int(math.max(g.seen, desk.now)))
    end
    for name, t in pairs(g.members) do
      local m = t.members[g.gkey]
      redis.call('HSET', desk.base .. ':tg:' .. name, g.gkey, member_text(m))
    end
  end
end

local function wake(desk)
  local channels = desk.w.at.channels
  for _, one in pairs(desk.wakes) do
    local payload = 'W ' .. int(one.time) .. ' ' .. one.gkey
    publish(channels .. ':c:' .. one.name, payload)
    publish(channels .. ':all', payload)
  end
  for _, one in pairs(desk.rooms) do
    if one then publish(channels .. ':p:' .. one.process, 'W ' .. int(desk.now) .. ' ' .. one.gkey) end
  end
end
`;
