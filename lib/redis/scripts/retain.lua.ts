import { REIGN } from "./reign.lua.ts";
import { TOPIC_STATE } from "./topic_state.lua.ts";
import { TRIM } from "./trim.lua.ts";

/**
 * Enforces retention on some topics, and where asked changes it first; forgets topics that were deleted long ago.
 *
 * KEYS: 1 meta, 2 gens, 3 settings, 4 topics; from 5 on the stream of each topic.
 *
 * ARGV: 1 the caller's claim; 2 default most messages;
 * 3 default most age in ms, 0 for none; 4 most messages removed in all; 5 how long a deleted topic is remembered in ms;
 * 6 new settings "messages age" with "-" for the default, or empty; 7 key base; from 8 on the names of the topics.
 *
 * Returns the number of messages removed. Topics that some pattern groups do not know yet are an error, UNADOPTED, before
 * anything is done.
 */
export const RETAIN = REIGN + TOPIC_STATE + TRIM + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local defaults = { max = tonumber(ARGV[2]), age = tonumber(ARGV[3]) }
local removed, most, base = 0, tonumber(ARGV[4]), ARGV[7]
local FIRST = 8
local topics, not_adopted = {}, {}
for i = FIRST, #ARGV do
  local state = redis.call('HGET', KEYS[1], 't:' .. ARGV[i])
  local t = state and read_topic(state)
  topics[i] = t
  if t and t.deleted == 0 and unadopted(r, base, ARGV[i], t) then not_adopted[#not_adopted + 1] = ARGV[i] end
end
if #not_adopted > 0 then return unadopted_error(not_adopted) end
for i = FIRST, #ARGV do
  local name, stream, t = ARGV[i], KEYS[i - FIRST + 5], topics[i]
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[3], name, ARGV[6])
    redis.call('ZADD', KEYS[4], 0, name)
  end
  if removed < most and redis.call('TYPE', stream).ok == 'stream' then
    local keep = t and keep_of(base, name, t) or 0
    removed = removed + trim(stream, redis.call('HGET', KEYS[3], name), defaults, r.now, most - removed, keep)
  end
  -- groups count from the topic's number, so it must not begin anew for them
  if t and t.deleted > 0 and t.groups == 0 and t.deleted + tonumber(ARGV[5]) < r.now then
    if id_after(t.last, r.purged) then
      r.purged = t.last
      redis.call('HSET', KEYS[1], 'purged', t.last)
    end
    redis.call('HDEL', KEYS[1], 't:' .. name)
    redis.call('ZREM', KEYS[4], name)
    redis.call('UNLINK', base .. ':tg:' .. name)
  end
end
return removed
`;
