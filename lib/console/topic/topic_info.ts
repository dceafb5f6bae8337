/** What `GET /topics/{topic}` tells of a topic. */
export interface TopicInfo {
  readonly topic: string;
  readonly messages: number;
  readonly firstId: string | null;
  readonly lastId: string | null;
  readonly count: number;
  readonly bytes: number;
  readonly subscribers: number;
  readonly retention: { readonly maxMessages: number; readonly maxAgeMs: number | null };
  readonly ownRetention: { readonly maxMessages?: number; readonly maxAgeMs?: number };
  readonly groups: readonly GroupInfo[];
}

/** What it tells of one of the topic's groups. */
export interface GroupInfo {
  /** The topic or pattern that it consumes. */
  readonly topic: string;
  readonly group: string;
  readonly lag: number;
  readonly pending: number;
  readonly oldestPendingMs: number | null;
  readonly dead: number;
  readonly maxDeliveries: number;
  readonly consumers: readonly ConsumerInfo[];
}

/** What it tells of a consumer. */
export interface ConsumerInfo {
  readonly name: string;
  readonly leased: number;
  /** When it pulled last, as ISO text. */
  readonly seen: string;
}

/** The path of a topic, and of what is below it. */
export function topicPath(topic: string, ...below: readonly string[]): string {
  return ["topics", topic, ...below].map(encodeURIComponent).join("/");
}

/** Whether it is one of the system's: nobody publishes there. */
export function isSystemTopic(topic: string): boolean {
  return topic.startsWith("$");
}
