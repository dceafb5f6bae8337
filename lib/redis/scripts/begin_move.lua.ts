import { REIGN } from "./reign.lua.ts";

/**
 * Begins to mark what is written to a partition, or goes on with it: as long as this is called again in time.
 *
 * KEYS: 1 meta, 2 gens, 3 the marks. ARGV: 1 the caller's claim; 2 the move's token; 3 how long until it is called again
 * at the latest, in ms; 4 `1` to begin.
 *
 * Returns the generation; -1 where another move is under way, or this one is not any more.
 */
export const BEGIN_MOVE = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
if ARGV[4] == '1' then
  if r.move then return -1 end
  real.call('UNLINK', KEYS[3])
elseif r.move ~= ARGV[2] then
  return -1
end
real.call('HSET', KEYS[1], 'move', ARGV[2] .. ' ' .. string.format('%.0f', r.now + tonumber(ARGV[3])) .. ' 0')
return r.gen
`;
