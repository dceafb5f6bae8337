import { APPEND } from "./append.lua.ts";
import { GROUP } from "./group.lua.ts";
import { REIGN } from "./reign.lua.ts";

/**
 * Makes pattern groups consume topics that they match.
 *
 * KEYS: 1 meta, 2 gens, 3 topics.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 version of the pattern groups that the caller knows;
 * then for each topic its name, the number of groups that match it, and their keys.
 *
 * Returns 1; where the pattern groups are others by now, an error, GROUPSCHANGED.
 */
export const ADOPT = REIGN + APPEND + GROUP + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local base = ARGV[2]
if r.gv ~= tonumber(ARGV[3]) then return redis.error_reply('GROUPSCHANGED the pattern groups are others by now') end
local w = new_writer(r, { base = base, meta = KEYS[1] })
local at = 4
while at <= #ARGV do
  local t = topic_named(w, ARGV[at])
  local count = tonumber(ARGV[at + 1])
  for i = at + 2, at + 1 + count do
    local since = redis.call('HGET', base .. ':pg', ARGV[i])
    if since then join(base, t, ARGV[i], since) end
  end
  t.gv = r.gv
  redis.call('HSET', KEYS[1], 't:' .. t.name, topic_text(t))
  at = at + 2 + count
end
return 1
`;
