/** The requests that a traffic plan sends in turn. */
import { postBytes } from "./http_socket.ts";
import type { TrafficPlan } from "./plan.ts";

/** What the plan's bodies are made into. */
export type BodiesPlan = Pick<TrafficPlan, "bodies" | "topics" | "dataBytes" | "batch">;

interface Message {
  readonly topic: string;
  readonly data: unknown;
}

/** The bytes of a request for each topic and body. */
export function requestsOf(plan: BodiesPlan): Uint8Array[] {
  const { batch } = plan;
  return messagesOf(plan).map((message) =>
    batch === undefined
      ? postBytes("/publish", JSON.stringify(message))
      : postBytes("/batch", JSON.stringify(new Array(batch).fill(message)))
  );
}

/** The messages themselves. @throws {RangeError} where the data are larger already than they should be */
export function messagesOf({ bodies, topics, dataBytes }: BodiesPlan): Message[] {
  // each is the envelope of a message
  const messages = bodies.map((body): Message => JSON.parse(body))
    .map(({ data, ...rest }) => ({
      ...rest,
      data: dataBytes === undefined ? data : fillUp(data, dataBytes),
    }));
  if (topics === undefined) return messages;
  return Array.from({ length: topics }, (_, n) => n).flatMap((n) =>
    messages.map((message) => ({ ...message, topic: `${message.topic}.${n}` }))
  );
}

const TEXT = "The order was shipped and should arrive within two days. ";

function fillUp(data: unknown, bytes: number): unknown {
  const fill = (length: number) => {
    const text = TEXT.repeat(Math.ceil(length / TEXT.length)).slice(0, length);
    // every plan's data are objects
    return { ...(data as object), fill: text };
  };
  const missing = bytes - JSON.stringify(fill(0)).length;
  if (missing < 0) throw new RangeError(`Cannot fill data up to ${bytes} bytes: they are larger`);
  return fill(missing);
}
