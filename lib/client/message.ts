/** What a subscriber or a group's consumer gets. */
export interface Message<T = unknown> {
  /** Unique and rising within a partition; null of an ephemeral message. */
  readonly id: string;
  readonly topic: string;
  /** When it was published, as an ISO time on Redis's clock. */
  readonly time: string;
  readonly data: T;
  /** A binary payload in base64, in place of `data`. */
  readonly dataBase64?: string;
  readonly type?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Where an answer goes. */
  readonly replyTo?: string;
  /** How often it was leased, this time included; of a group's message. */
  readonly deliveries?: number;
  /** What holds it; of a group's message that was streamed. */
  readonly lease?: string;
}

/** What a stream says of itself. */
export type StreamEvent =
  | { readonly event: "$ready"; readonly subscription: string; readonly cursor?: string }
  | {
    readonly event: "$gap";
    /** The topic that lacks messages; null where it may be any of the subscription's. */
    readonly topic: string | null;
    readonly after: string | null;
    readonly before: string | null;
    /** `retention`, `failover`, `deleted`, `conflated`, … */
    readonly reason: string;
  }
  | { readonly event: "$bye"; readonly reason: string; readonly retryMs: number }
  | { readonly event: "$auth-expiring"; readonly in: number };
