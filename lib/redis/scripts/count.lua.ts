/**
 * Counts points in a window that begins with the first of them, as long as all fit; those that do not are not counted,
 * so that whoever asks for too much keeps nobody else from asking for less. It is run by rate-limiter-flexible, which
 * makes its keys and arguments.
 *
 * KEYS: 1 the count. ARGV: 1 the points; 2 how long a window is, in s; 3 the most points of a window.
 *
 * Returns the count with the points, also where they do not fit, and what is left of the window, in ms.
 */
export const COUNT = `
local points, limit = tonumber(ARGV[1]), tonumber(ARGV[3])
local ttl = redis.call('PTTL', KEYS[1])
local isNew = ttl < 0
if isNew then ttl = tonumber(ARGV[2]) * 1000 end
local count = points
if not isNew then count = count + tonumber(redis.call('GET', KEYS[1])) end
if count <= limit then
  redis.call('SET', KEYS[1], count)
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return { count, ttl }
`;
