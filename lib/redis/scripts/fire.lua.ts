import { APPEND } from "./append.lua.ts";
import { CALLS } from "./calls.lua.ts";
import { REIGN } from "./reign.lua.ts";

/**
 * Publishes messages that were kept for later and are due, in order of their time, and forgets them.
 *
 * KEYS: 1 meta, 2 gens, 3 log, 4 settings, 5 topics, 6 lane, 7 later, 8 later's messages.
 *
 * ARGV: 1 the caller's claim; 2 number of the call on its lane; 3 key base; 4 channel base;
 * 5 default most messages a topic; 6 default most age in ms, 0 for none; 7 most log entries; 8 largest frame with bodies
 * in bytes; 9 how long a lane's record is kept in ms; 10 most messages; 11 most bytes, one message apart.
 *
 * Returns a JSON text: `gen`, `fired` (how many), `next` (when the earliest that is left is due, in ms; 0 for none) and
 * `more` (whether that is due now).
 */
export const FIRE = REIGN + APPEND + CALLS + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
local number = tonumber(ARGV[2])
local reply, stale = call_record(KEYS[6], number)
if reply or stale then return reply or stale end
if r.state ~= 'open' then return closed(r) end
local base, later, kept = ARGV[3], KEYS[7], KEYS[8]
local w = new_writer(r, { base = base, channels = ARGV[4], meta = KEYS[1], log = KEYS[3], settings = KEYS[4],
  topics = KEYS[5], defaults = { max = tonumber(ARGV[5]), age = tonumber(ARGV[6]) }, log_max = ARGV[7],
  frame_max = tonumber(ARGV[8]) })

-- most have neither, and reading JSON costs more than the rest; within a text of the JSON both would be escaped
local function message_of(line, body)
  if not (string.find(line, '"ttl":', 1, true) or string.find(line, '"key":', 1, true)) then return body end
  local o = cjson.decode(line)
  return { body = body, options = { ttl = o.ttl, key = o.key } }
end

local tokens = redis.call('ZRANGEBYSCORE', later, '-inf', int(r.now), 'LIMIT', 0, tonumber(ARGV[10]))
local runs, not_adopted, gone, foreign = {}, {}, {}, {}
local taken, bytes, most_bytes = 0, 0, tonumber(ARGV[11])
for _, token in ipairs(tokens) do
  if bytes >= most_bytes then break end
  taken = taken + 1
  local text = redis.call('HGET', kept, token)
  local name, line, body
  if text then
    bytes = bytes + #text
    name, line, body = string.match(text, '^([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  end
  if name then
    local fresh = not w.known[name]
    local t = topic_named(w, name)
    if fresh then
      t.kind = redis.call('TYPE', t.stream).ok
      if unadopted(r, base, name, t) then not_adopted[#not_adopted + 1] = name end
    end
    if t.kind == 'none' or t.kind == 'stream' then
      local run = runs[#runs]
      if not run or run.topic ~= t then
        run = { topic = t, messages = {}, plain = true }
        runs[#runs + 1] = run
      end
      local message = message_of(line, body)
      run.messages[#run.messages + 1] = message
      run.plain = run.plain and message == body
      gone[#gone + 1] = token
    else
      -- a foreign key stands where the topic is stored: it must not hold up the others
      foreign[#foreign + 1] = token
    end
  else
    gone[#gone + 1] = token
  end
end
if #not_adopted > 0 then return unadopted_error(not_adopted) end
for _, run in ipairs(runs) do
  append(w, run.topic, run.messages, run.plain and table.concat(run.messages, '\\n') or nil)
end
finish(w)
if taken > 0 then redis.call('ZREM', later, unpack(tokens, 1, taken)) end
if #gone > 0 then redis.call('HDEL', kept, unpack(gone)) end
for _, token in ipairs(foreign) do redis.call('ZADD', later, int(r.now + 60000), token) end
local head = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')
reply = '{"gen":' .. int(r.gen) .. ',"fired":' .. w.appended .. ',"next":' .. (head[2] and int(tonumber(head[2])) or '0')
  .. ',"more":' .. tostring(head[2] ~= nil and tonumber(head[2]) <= r.now) .. '}'
if #tokens > 0 then redis.call('SET', KEYS[6], int(number) .. ' ' .. reply, 'PX', ARGV[9]) end
publish_frames(w)
return reply
`;
