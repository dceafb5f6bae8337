/**
 * Takes, keeps or gives back a lock.
 *
 * KEYS: 1 the lock. ARGV: 1 who takes it; 2 for how many milliseconds, 0 gives it back.
 *
 * Returns 1; 0 where somebody else has it.
 */
export const LOCK = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('UNLINK', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
`;
