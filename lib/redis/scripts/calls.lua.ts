/**
 * Lua shared by the scripts of a write lane: `call_record` finds out whether a call was done before. A lane's record is
 * "number reply". Needs REIGN.
 */
export const CALLS = `
-- returns the reply of the call where it was done, or an error where a later one was
local function call_record(lane, number)
  local record = redis.call('GET', lane)
  if not record then return nil end
  local text = string.match(record, '^%d+')
  local done = tonumber(text)
  if done == number then return string.sub(record, #text + 2) end
  if done > number then return nil, redis.error_reply('STALE commit ' .. number .. ' of a lane that is at ' .. done) end
end
`;
