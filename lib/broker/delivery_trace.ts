import { parseBody, type StoredMessage } from "../codec/message.ts";
import { readTraceparent, TRACEPARENT } from "../codec/traceparent.ts";
import type { Tracing } from "../metrics/tracing.ts";

/** Notes messages as given to somebody: each in the trace that it carries. */
export function noteDelivery(
  tracing: Tracing,
  messages: readonly StoredMessage[],
  { by }: { by: string },
): void {
  const received = messages.map(({ topic, id, body }) => ({
    topic,
    id,
    traceparent: body.includes(`"${TRACEPARENT}"`)
      ? readTraceparent(parseBody(body).headers?.[TRACEPARENT])
      : undefined,
  }));
  tracing.receive(received, { by });
}
