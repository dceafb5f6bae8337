import { InputLimits, type InputLimitsOptions } from "./input_limits.ts";
import { PublishQuota, type RateStore } from "./publish_quota.ts";
import { Slots } from "./slots.ts";

/** Options of {@link createLimits}; what is absent has no limit. */
export interface LimitsOptions extends InputLimitsOptions {
  /** Open streams of this process. */
  readonly streams?: number | undefined;
  /** Open streams of an identity at this process. */
  readonly streamsOfOne?: number | undefined;
  /** Open requests of an identity at this process. */
  readonly openRequests?: number | undefined;
  /** Messages that an identity publishes in a second. */
  readonly publishRate?: number | undefined;
}

/** What keeps clients within limits. */
export interface Limits {
  readonly input: InputLimits;
  readonly streams: Slots;
  readonly requests: Slots;
  /** Undefined where publishing has no limit. */
  readonly quota: PublishQuota | undefined;
}

/** Makes the limits of a process; `store` counts what holds for all processes together. */
export function createLimits(options: LimitsOptions, store: RateStore): Limits {
  const { batch, publishRate: rate, streams, streamsOfOne, openRequests } = options;
  // what is more than a second's messages could never be taken as a whole
  const most = Math.min(batch ?? Infinity, rate ?? Infinity);
  return {
    input: new InputLimits({ ...options, batch: most }),
    streams: new Slots({
      what: "streams",
      code: "too_many_streams",
      most: streams,
      mostOfOne: streamsOfOne,
    }),
    requests: new Slots({ what: "requests", code: "too_many_requests", mostOfOne: openRequests }),
    quota: rate === undefined ? undefined : new PublishQuota({ rate, store }),
  };
}
