import { REIGN } from "./reign.lua.ts";

/**
 * Lets nobody write to a partition for a moment, so that the rest of it can be copied. It opens by itself when the time is
 * up.
 *
 * KEYS: 1 meta, 2 gens. ARGV: 1 the caller's claim; 2 the move's token; 3 the generation in which it began; 4 for how
 * long, in ms; 5 how long until the caller says something again at the latest, in ms.
 *
 * Returns 1; 0 where the move has to begin anew.
 */
export const FREEZE = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
if r.move ~= ARGV[2] or r.gen ~= tonumber(ARGV[3]) then return 0 end
local times = string.format('%.0f %.0f', r.now + tonumber(ARGV[5]), r.now + tonumber(ARGV[4]))
real.call('HSET', KEYS[1], 'state', 'frozen', 'move', ARGV[2] .. ' ' .. times)
return 1
`;
