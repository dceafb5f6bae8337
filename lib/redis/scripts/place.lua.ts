/**
 * Writes down a newer placement.
 *
 * KEYS: 1 the shard's record. ARGV: 1 the placement as JSON; 2 its epoch; 3 the deployment's id.
 *
 * Returns 1; 0 where one as new or newer is there already, -1 where the shard is another deployment's.
 */
export const PLACE = `
local known = redis.call('HGET', KEYS[1], 'placement')
if known then
  local placement = cjson.decode(known)
  if placement.deployment ~= ARGV[3] then return -1 end
  if placement.epoch >= tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], 'placement', ARGV[1])
return 1
`;
