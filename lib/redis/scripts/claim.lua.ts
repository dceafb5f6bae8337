/**
 * Makes a Redis one of a deployment's shards, where it is none yet.
 *
 * KEYS: 1 the shard's record. ARGV: 1 an id for the shard; 2 a placement as JSON, or empty to leave that.
 *
 * Returns the shard's id and its placement, those that were there before where there were any, "" for none.
 */
export const CLAIM = `
redis.call('HSETNX', KEYS[1], 'shard', ARGV[1])
if ARGV[2] ~= '' then redis.call('HSETNX', KEYS[1], 'placement', ARGV[2]) end
local record = redis.call('HMGET', KEYS[1], 'shard', 'placement')
return { record[1], record[2] or '' }
`;
