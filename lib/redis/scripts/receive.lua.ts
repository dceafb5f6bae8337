/**
 * Prepares a place for a partition that is going to come: whoever asks for it there is told to wait.
 *
 * KEYS: 1 meta. ARGV: 1 the move's token.
 *
 * Returns 1; 0 where the partition lives there already.
 */
export const RECEIVE = `
local state, gen = unpack(redis.call('HMGET', KEYS[1], 'state', 'gen'))
if gen and (not state or state == 'open' or state == 'frozen') then return 0 end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'incoming', 'to', ARGV[1])
return 1
`;
