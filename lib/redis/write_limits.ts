/** Entries kept in the log; below its floor topics are merged instead. */
export const LOG_ENTRIES = 100_000;
/** Bodies of a frame above which it travels as ids only: what every process gets must stay small. */
export const FRAME_BYTES = 16_384;
/** How long a lane's last call is remembered: longer than any stalled call can come late. */
export const LANE_MS = 24 * 3_600_000;
