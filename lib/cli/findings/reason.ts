/** Why something does not work, as the end of a sentence, and what to do about it. */
export type Reason = readonly [reason: string, advice: string];
