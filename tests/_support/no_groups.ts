/** The index of pattern groups where a test has none. */
import { GroupIndex } from "../../lib/broker/group_index.ts";

/** Knows of no group, and shows topics to nobody. */
export const NO_GROUPS = new GroupIndex({
  patterns: () => Promise.resolve({ version: 0, names: [] }),
  adopt: () => Promise.resolve(),
});
