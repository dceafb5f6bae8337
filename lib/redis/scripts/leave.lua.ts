import { REIGN } from "./reign.lua.ts";

/**
 * Gives a partition up for good, once all of it is elsewhere: nobody reads or writes it here any more, and everybody is
 * told where to go.
 *
 * KEYS: 1 meta, 2 gens, 3 the marks. ARGV: 1 the caller's claim; 2 the move's token; 3 the generation in which it began;
 * 4 `moved` or `split`; 5 where to go; 6 channel base.
 *
 * Returns 1; 0 where the partition is not frozen for this move any more.
 */
export const LEAVE = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'frozen' or r.move ~= ARGV[2] or r.gen ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'to', ARGV[5])
redis.call('HDEL', KEYS[1], 'move')
redis.call('UNLINK', KEYS[3])
redis.set_repl(redis.REPL_NONE)
publish(ARGV[6] .. ':ctl', 'M')
return 1
`;
