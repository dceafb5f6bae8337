/**
 * Lua shared by every script: while a partition is being moved, what is written there is marked in `:dirty`, so that it is
 * copied once more. A mark is a key, or a key and one of its fields or members behind a line break; a field "" stands for
 * the time when the key expires.
 *
 * Meta's `move` is "token until": a coordinator that says nothing any more has given up, and what it had frozen is open
 * again.
 */
export const TRACK = `
local real = redis
local redis = real

local function each(from, step)
  return function(mark, key, ...)
    local words = { ... }
    for i = from, #words, step do mark(key, words[i]) end
  end
end

local function whole(mark, key) mark(key) end

local MARKS = {
  HSET = each(1, 2), HDEL = each(1, 1), SADD = each(1, 1), SREM = each(1, 1), ZREM = each(1, 1),
  HSETNX = function(mark, key, field) mark(key, field) end,
  HINCRBY = function(mark, key, field) mark(key, field) end,
  ZADD = function(mark, key, first, ...)
    if tonumber(first) then each(1, 2)(mark, key, ...) else each(2, 2)(mark, key, ...) end
  end,
  PEXPIRE = function(mark, key) mark(key, '') end,
  SET = whole, XADD = whole, XTRIM = whole, SPOP = whole,
  UNLINK = function(mark, ...) for _, key in ipairs({ ... }) do mark(key) end end,
}

-- what a command of the partition does not stand in MARKS for only reads
local function track(dirty)
  local function mark(key, field)
    real.call('SADD', dirty, field and key .. '\\n' .. field or key)
  end
  local function call(command, ...)
    local marks = MARKS[command]
    if marks then marks(mark, ...) end
    return real.call(command, ...)
  end
  redis = setmetatable({ call = call }, { __index = real })
end

local function heed_move(r, meta, text)
  local ends = tonumber(string.match(text, ' (%d+)$'))
  if r.now <= ends then
    if r.state == 'open' then track(string.sub(meta, 1, -5) .. 'dirty') end
    return
  end
  real.call('HDEL', meta, 'move')
  if r.state == 'frozen' then
    real.call('HSET', meta, 'state', 'open')
    r.state = 'open'
  end
end
`;
