/**
 * Writes down what is known of an API key, unless something newer is there.
 *
 * KEYS: 1 the shard's keys. ARGV: 1 the key's id; 2 what is known of it as JSON, with `at`; 3 that time.
 *
 * Returns 1, or 0 where something as new or newer is there.
 */
export const KEEP_KEY = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).at >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;
