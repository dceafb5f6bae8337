import type { RawMessage } from "./raw_message.ts";

/** What a dead letter's headers say. */
export interface Death {
  readonly group: string;
  readonly reason: string;
  readonly deliveries: string;
  /** The id that the message had when it lived. */
  readonly id: string;
}

/** Reads how a message died. */
export function deathOf({ headers = {} }: RawMessage): Death {
  return {
    group: headers["dead-group"] ?? "",
    reason: headers["dead-reason"] ?? "",
    deliveries: headers["dead-deliveries"] ?? "",
    id: headers["dead-id"] ?? "",
  };
}

/** Where the dead letters of a topic are. */
export function deadTopic(topic: string): string {
  return `$dead.${topic}`;
}
