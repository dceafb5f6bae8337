/**
 * Opens a partition that has come here from another place, once that place has given it up.
 *
 * KEYS: 1 meta. ARGV: 1 the token of its move.
 *
 * Returns 1 where the partition is open; 0 where another move brings it here.
 */
export const OPEN = `
local state, token = unpack(redis.call('HMGET', KEYS[1], 'state', 'to'))
if state == 'incoming' and token == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', 'open')
  redis.call('HDEL', KEYS[1], 'to')
  return 1
end
return state ~= 'incoming' and 1 or 0
`;
