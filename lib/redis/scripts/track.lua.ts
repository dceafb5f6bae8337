/**
 * Lua shared by every script: while a partition is being moved, what is written there is marked in `:dirty`, so that it is
 * copied once more. A mark is a letter and a key: `H`, `Z` and `S` for one element of a hash, sorted set or set, which
 * follows behind a line break, `X` for a stream's ends, `E` for the time when the key expires, and `K` for all there is.
 *
 * Meta's `move` is "token until thaw": a coordinator that says nothing any more has given up, and what it had frozen is
 * open again at the time `thaw`, still marked.
 */
export const TRACK = `
local real = redis
local redis = real

local function each(kind, step)
  return function(mark, key, ...)
    local words = { ... }
    for i = 1, #words, step do mark(kind, key, words[i]) end
  end
end

local function first(kind)
  return function(mark, key, member) mark(kind, key, member) end
end

local MARKS = {
  HSET = each('H', 2), HDEL = each('H', 1), HSETNX = first('H'), HINCRBY = first('H'),
  SADD = each('S', 1), SREM = each('S', 1), SPOP = function(mark, key) mark('K', key) end,
  ZREM = each('Z', 1),
  ZADD = function(mark, key, word, ...)
    if tonumber(word) then each('Z', 2)(mark, key, ...) else each('Z', 2)(mark, key, select(2, ...)) end
  end,
  XADD = function(mark, key) mark('X', key) end,
  XTRIM = function(mark, key) mark('X', key) end,
  PEXPIRE = function(mark, key) mark('E', key) end,
  SET = function(mark, key) mark('K', key) end,
  UNLINK = function(mark, ...) for _, key in ipairs({ ... }) do mark('K', key) end end,
}

-- what a command of the partition does not stand in MARKS for only reads
local function track(dirty)
  local function mark(kind, key, member)
    real.call('SADD', dirty, kind .. key .. (member and '\\n' .. member or ''))
  end
  local function call(command, ...)
    local marks = MARKS[command]
    if marks then marks(mark, ...) end
    return real.call(command, ...)
  end
  redis = setmetatable({ call = call }, { __index = real })
end

local function heed_move(r, meta, text)
  local token, ends, thaw = string.match(text, '^(%S+) (%d+) (%d+)$')
  if r.state == 'frozen' and r.now > tonumber(thaw) then
    real.call('HSET', meta, 'state', 'open')
    r.state = 'open'
  end
  if r.now > tonumber(ends) then
    real.call('HDEL', meta, 'move')
  else
    r.move = token
    if r.state == 'open' then track(string.sub(meta, 1, -5) .. 'dirty') end
  end
end
`;
