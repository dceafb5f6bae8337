import { TRACK } from "./track.lua.ts";

/**
 * Lua shared by every script: id arithmetic and `reign`, which makes sure that this node's generation is current.
 *
 * A generation is one primary's reign; Redis gives a primary a new replication id whenever it starts or is promoted, so
 * a difference from the id stored in meta means that the log may have lost its tail. The new generation is higher than
 * any that this node or the caller has seen, and so than any id given out before.
 *
 * The partition's state is `open`; `frozen`, which is read and not written; or one in which it is elsewhere: `moved`
 * and `split`, where `to` says where, and `incoming`, where it is not yet.
 */
export const REIGN = TRACK + `
local EPOCH_2026 = 1767225600

local function id_parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function id_text(ms, seq)
  return string.format('%.0f-%.0f', ms, seq)
end

local function id_after(a, b)
  local ams, aseq = id_parts(a)
  local bms, bseq = id_parts(b)
  return ams > bms or (ams == bms and aseq > bseq)
end

local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- frames go by sharded Pub/Sub where the caller says so: in a Cluster, a plain one would go to every node
local PUBLISH = 'PUBLISH'
local function publish(channel, payload)
  redis.call(PUBLISH, channel, payload)
end

-- why nothing is written now, or where r.left is set not read either
local function closed(r)
  return redis.error_reply('CLOSED ' .. r.state .. (r.to and ' ' .. r.to or ''))
end

-- of each millisecond's 65,536 numbers every partition has its own, so that no two give out the same id
local function numbers_of(meta)
  local partition, partitions = string.match(meta, ':(%d+)/(%d+)}:meta$')
  if not partition then return 0, 65536 end
  local most = 65536 / tonumber(partitions)
  return tonumber(partition) * most, most
end

-- a claim is the highest generation the caller has seen, "s" behind it where it hears sharded Pub/Sub, and "e" where the
-- primary is elected: then a generation begins under none but the one whose run follows, which the caller has confirmed;
-- returns a table {gen, first, most, clock, state, left, to, move, purged, gv, now}, or nil and an error reply; the ids of a
-- millisecond have the numbers gen * 65536 + first and on, so many
local function reign(meta, gens, claim)
  local info = redis.call('INFO', 'replication')
  if string.find(info, 'role:slave', 1, true) then
    return nil, redis.error_reply('READONLY this node is a replica')
  end
  local seen, sharded, elected, confirmed = string.match(claim, '^(%d+)(s?)(e?)(%x*)$')
  seen, elected = tonumber(seen), elected == 'e'
  if sharded == 's' then PUBLISH = 'SPUBLISH' end
  local run = string.match(info, 'master_replid:(%x+)')
  local now = now_ms()
  local h = redis.call('HMGET', meta, 'run', 'gen', 'clock', 'state', 'purged', 'gv', 'to', 'move')
  local gen = tonumber(h[2] or '0')
  local r = { gen = gen, clock = h[3] or '0-0', state = h[4] or 'open', purged = h[5] or '0-0', gv = tonumber(h[6] or '0'),
    to = h[7], now = now }
  r.first, r.most = numbers_of(meta)
  if h[8] then heed_move(r, meta, h[8]) end
  r.left = r.state ~= 'open' and r.state ~= 'frozen'
  if r.left then return r end
  -- where it is confirmed, what is later has begun under one that is the primary no more
  if h[1] ~= run or (elected and seen > gen) then
    if elected and confirmed ~= run then
      return nil, redis.error_reply('UNCONFIRMED ' .. cjson.encode({ run = run, seen = seen, meta = meta, gens = gens }))
    end
    if gen > 0 then redis.call('HSET', gens, string.format('%.0f', gen), r.clock) end
    -- in 128ths of a second: one that has lost everything and starts at once is still later than before
    local born = math.floor((now / 1000 - EPOCH_2026) * 128)
    r.gen = math.max(gen + 1, seen + 1, born)
    -- a new partition begins at an id of its own: 0-0 means earliest, and no cursor of "from now on" may equal it
    if gen == 0 and r.clock == '0-0' then r.clock = id_text(now, r.gen * 65536 + r.first) end
    redis.call('HSET', meta, 'run', run, 'gen', string.format('%.0f', r.gen), 'clock', r.clock, 'state', r.state, 'v', '1')
  elseif seen > gen then
    return nil, redis.error_reply('STALEPRIMARY generation ' .. string.format('%.0f', gen) .. ' is behind ' .. string.format('%.0f', seen))
  end
  return r
end
`;
