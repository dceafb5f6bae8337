import { APPEND } from "./append.lua.ts";
import { GROUP } from "./group.lua.ts";
import { REIGN } from "./reign.lua.ts";

/**
 * Makes a group where there is none, and sets how often it gives a message out.
 *
 * KEYS: 1 meta, 2 gens, 3 topics.
 *
 * ARGV: 1 the caller's claim; 2 key base; 3 group; 4 its topic or pattern; 5 where a new one starts;
 * 6 most deliveries, "-" for the default, empty to leave it; 7 the default.
 *
 * Returns 1 where the group was made, 0 where it was there, -1 where it is being deleted; and its most deliveries now.
 */
export const CONFIGURE = REIGN + APPEND + GROUP + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local base = ARGV[2]
local w = new_writer(r, { base = base, meta = KEYS[1], topics = KEYS[3] })
local desk = new_desk(w, 0, 0)
local g = group_named(desk, ARGV[3])
if g.deleting then return { -1, 0 } end
local created = not g.exists
if created then create(desk, g, ARGV[4], ARGV[5]) end
if ARGV[6] == '-' then redis.call('HDEL', g.key, 'max') elseif ARGV[6] ~= '' then redis.call('HSET', g.key, 'max', ARGV[6]) end
return { created and 1 or 0, tonumber(redis.call('HGET', g.key, 'max') or ARGV[7]) }
`;
