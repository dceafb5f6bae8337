import { REIGN } from "./reign.lua.ts";

/**
 * Makes a process one that is told when a message is confirmed, also where another one published it.
 *
 * KEYS: 1 meta, 2 gens, 3 the message's confirmations.
 *
 * ARGV: 1 the caller's claim; 2 the message's topic; 3 how many confirmations are wanted; 4 the
 * process; 5 how long they are kept at least, in ms.
 *
 * Returns how many there are.
 */
export const AWAIT = REIGN + `
local key, topic, wanted, process, keep = KEYS[3], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local least, processes, count = unpack(redis.call('HMGET', key, '*', 'p', 'c'))
if not processes then
  redis.call('HSET', key, '*', wanted, 'p', process, 't', topic)
else
  if not string.find(' ' .. processes .. ' ', ' ' .. process .. ' ', 1, true) then
    redis.call('HSET', key, 'p', processes .. ' ' .. process)
  end
  if wanted < tonumber(least) then redis.call('HSET', key, '*', wanted) end
end
if redis.call('PTTL', key) < keep then redis.call('PEXPIRE', key, keep) end
return tonumber(count or '0')
`;
