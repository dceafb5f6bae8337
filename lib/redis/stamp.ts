/** Names a call on its write lane: the same stamp again is the same call, done once. */
export interface Stamp {
  /** Unique among all lanes. */
  readonly lane: string;
  /** Rises by one from call to call. */
  readonly number: number;
}
