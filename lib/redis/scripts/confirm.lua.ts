import { REIGN } from "./reign.lua.ts";

/**
 * Counts a subscription's confirmations of messages, each once, and tells the processes that wait when there are enough.
 *
 * KEYS: 1 meta, 2 gens; from 3 on the confirmations of each message.
 *
 * ARGV: 1 the caller's claim; 2 what process channels start with; 3 the subscription; 4 the
 * messages' topic; from 5 on their ids.
 *
 * Returns for each message 1, or 0 where nobody waits for its confirmations or it is of another topic.
 */
export const CONFIRM = REIGN + `
local channels, subscription, topic = ARGV[2], ARGV[3], ARGV[4]
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.state ~= 'open' then return closed(r) end
local results, told = {}, {}
for i = 5, #ARGV do
  local key = KEYS[i - 2]
  local wanted, processes, of, known = unpack(redis.call('HMGET', key, '*', 'p', 't', subscription))
  local waited = processes and of == topic
  results[#results + 1] = waited and 1 or 0
  if waited and not known then
    redis.call('HSET', key, subscription, 1)
    local count = redis.call('HINCRBY', key, 'c', 1)
    if count >= tonumber(wanted) then told[#told + 1] = { processes, 'C ' .. ARGV[i] .. ' ' .. count } end
  end
end
redis.set_repl(redis.REPL_NONE)
for _, one in ipairs(told) do
  for process in string.gmatch(one[1], '%S+') do publish(channels .. process, one[2]) end
end
return results
`;
