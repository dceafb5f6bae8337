import { REIGN } from "./reign.lua.ts";

/**
 * Finds out whether the partition can be read here, before it is.
 *
 * KEYS: 1 meta, 2 gens. ARGV: 1 the caller's claim.
 *
 * Returns Redis's time in ms.
 */
export const CHECK = REIGN + `
local r, failure = reign(KEYS[1], KEYS[2], ARGV[1])
if not r then return failure end
if r.left then return closed(r) end
return r.now
`;
