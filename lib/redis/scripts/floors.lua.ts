import { REIGN } from "./reign.lua.ts";

/**
 * Tells where the kept messages of some topics begin, without sending the messages.
 *
 * KEYS: 1 meta, 2 gens; from 3 on the stream of each topic.
 *
 * ARGV: 1 the caller's claim; 2 number of topics.
 *
 * Returns for each topic the id of the message before its oldest one, "" where it has none.
 */
export const FLOORS = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end
local floors = {}
for i = 3, tonumber(ARGV[2]) + 2 do
  local floor = ''
  local oldest = redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1)[1]
  local fields = oldest and oldest[2] or {}
  for k = 1, #fields, 2 do
    if fields[k] == 'p' then floor = fields[k + 1] end
  end
  floors[#floors + 1] = floor
end
return floors
`;
