/**
 * Tells which commands the user may not use, and does none of them.
 *
 * ARGV: 1 commands as JSON, a list of words each.
 *
 * Returns for each that is refused its place, from 1 on, and what Redis says of it.
 */
export const PERMIT = `
local refused = {}
for i, words in ipairs(cjson.decode(ARGV[1])) do
  -- an error means that Redis knows no such command, or no such question
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if known and not allowed then
    local reply = redis.pcall(unpack(words))
    refused[#refused + 1] = i
    refused[#refused + 1] = type(reply) == 'table' and reply.err or ''
  end
end
return refused
`;
