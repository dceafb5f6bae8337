/**
 * Lua shared by the scripts that look at topics: a topic's line in meta, "last count largest [deleted] [gv] [groups]",
 * where `deleted` is when it was (0 for never), `gv` the version of the pattern groups that it is known to, and `groups`
 * how many consume it; and the line of each of these groups in the topic's own hash, "cursor number done dead":
 * the group was given everything up to the id `cursor`, which is the topic's message `number`; `done` of them have left
 * the group, and `dead` are dead letters that nobody has put back.
 */
export const TOPIC_STATE = `
local function int(n) return string.format('%.0f', n) end

local function read_topic(text)
  local last, number, largest, deleted, gv, groups =
    string.match(text, '^(%S+) (%d+) (%d+) ?(%d*) ?(%d*) ?(%d*)$')
  return {
    last = last, number = tonumber(number), largest = tonumber(largest), deleted = tonumber(deleted) or 0,
    gv = tonumber(gv) or 0, groups = tonumber(groups) or 0,
  }
end

local function topic_text(t)
  local text = t.last .. ' ' .. int(t.number) .. ' ' .. int(t.largest)
  if t.gv > 0 or t.groups > 0 then return text .. ' ' .. int(t.deleted) .. ' ' .. int(t.gv) .. ' ' .. int(t.groups) end
  return t.deleted > 0 and text .. ' ' .. int(t.deleted) or text
end

local function read_member(text)
  local cursor, number, done, dead = string.match(text, '^(%S+) (%d+) (%d+) (%d+)$')
  return { cursor = cursor, number = tonumber(number), done = tonumber(done), dead = tonumber(dead) }
end

local function member_text(m)
  return m.cursor .. ' ' .. int(m.number) .. ' ' .. int(m.done) .. ' ' .. int(m.dead)
end

-- the groups of a topic by their key; the field z is the last id of a deletion
local function read_members(base, name)
  local fields = redis.call('HGETALL', base .. ':tg:' .. name)
  local members = {}
  for i = 1, #fields, 2 do
    if fields[i] ~= 'z' then members[fields[i]] = read_member(fields[i + 1]) end
  end
  return members
end

-- how many of a topic's newest messages somebody still has to be given, or may still want back
local function keep_of(base, name, t)
  local keep = 0
  if t.groups > 0 then
    for _, m in pairs(t.members or read_members(base, name)) do keep = math.max(keep, t.number - m.number) end
  end
  local source = string.match(name, '^%$dead%.(.*)$')
  if source then
    local oldest = redis.call('ZRANGE', base .. ':dead:' .. source, 0, 0, 'WITHSCORES')
    if oldest[1] then keep = math.max(keep, t.number - tonumber(oldest[2]) + 1) end
  end
  return keep
end

local function is_pattern(gkey)
  return string.find(gkey, '*', 1, true) ~= nil
end

-- whether the pattern groups have changed since a topic was shown to them; where there is none any more it need not be
local no_patterns
local function unadopted(r, base, name, t)
  if t.gv == r.gv then return false end
  if no_patterns == nil then no_patterns = redis.call('HLEN', base .. ':pg') == 0 end
  if no_patterns or string.sub(name, 1, 1) == '$' then
    t.gv = r.gv
    return false
  end
  return true
end

local function unadopted_error(names)
  return redis.error_reply('UNADOPTED ' .. table.concat(names, ' ', 1, math.min(#names, 200)))
end
`;
