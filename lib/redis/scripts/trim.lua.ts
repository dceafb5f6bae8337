/**
 * Lua shared by the scripts that enforce retention: `trim` removes what is over the count or older than the age, at
 * most `step` messages a call, because removing 100,000 at once blocks Redis for tens of milliseconds, and never one of the
 * newest `keep`: somebody still has to be given them.
 */
export const TRIM = `
-- most messages and most age, as a topic's settings or the defaults say
local function retention_of(settings, defaults)
  local max, age = defaults.max, defaults.age
  if settings then
    local m, a = string.match(settings, '^(%S+) (%S+)$')
    if m ~= '-' then max = tonumber(m) end
    if a ~= '-' then age = tonumber(a) end
  end
  return max, age
end

-- returns how many messages were removed
local function trim(stream, settings, defaults, now, step, keep)
  local max, age = retention_of(settings, defaults)
  local length = redis.call('XLEN', stream)
  local over = math.max(length - max, 0)
  if age > 0 and length > 0 then
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    local limit = now - age
    if tonumber(string.match(oldest[1], '^%d+')) < limit then
      local newest = redis.call('XREVRANGE', stream, string.format('(%.0f', limit), '-', 'COUNT', 1)[1]
      if newest then
        local function number(entry)
          for i = 1, #entry[2], 2 do if entry[2][i] == 's' then return tonumber(entry[2][i + 1]) end end
          return 0
        end
        over = math.max(over, number(newest) - number(oldest) + 1)
      end
    end
  end
  over = math.min(over, length - keep)
  if over <= 0 then return 0 end
  return redis.call('XTRIM', stream, 'MAXLEN', '=', length - math.min(over, step))
end
`;
