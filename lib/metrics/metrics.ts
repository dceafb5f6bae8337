import { Histogram } from "./histogram.ts";
import { LoopDelay } from "./loop_delay.ts";
import { RequestMetrics } from "./request_metrics.ts";

/** What became of a message that was published. */
export type PublishOutcomeKind = "stored" | "duplicate" | "scheduled" | "ephemeral" | "failed";

/** By which way a message was given out. */
export type DeliveryKind = "subscription" | "group_stream" | "pull";

/**
 * What a process counts of its own work, since it began. Whoever does the work raises plain numbers; names and labels are
 * made only where somebody reads them.
 */
export class Metrics implements Disposable {
  /** When counting began, in milliseconds since 1970. */
  readonly since = Date.now();
  /** Messages by what became of them. */
  readonly published: Record<PublishOutcomeKind, number> = {
    stored: 0,
    duplicate: 0,
    scheduled: 0,
    ephemeral: 0,
    failed: 0,
  };
  /** Messages given out. */
  readonly delivered: Record<DeliveryKind, number> = { subscription: 0, group_stream: 0, pull: 0 };
  /** How long publishing took, from the call to the outcome; one for each call, of however many messages. */
  readonly publishTime = new Histogram();
  /** From when a message was published to when this process gave it to those who were listening; live messages only. */
  readonly deliveryTime = new Histogram();
  /** Open streams that are for people or programs, not for watching Runnel itself. */
  readonly open = { subscription: 0, group_stream: 0 };
  readonly requests = new RequestMetrics();
  readonly loopDelay = new LoopDelay();

  /** Stops what measures by itself. */
  [Symbol.dispose](): void {
    this.loopDelay[Symbol.dispose]();
  }
}
