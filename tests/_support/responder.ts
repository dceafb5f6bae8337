/** A subscriber that replies to requests. */
import { type Answer, send } from "./http.ts";
import { openStream, type ReceivedMessage } from "./sse.ts";

/** A request's message as its responder gets it. */
export interface ReceivedRequest extends ReceivedMessage {
  readonly replyTo: string;
}

/** Options of {@link startResponder}. */
export interface ResponderOptions {
  readonly topic: string;
  /** What to reply, in order; nothing to stay silent. @default the request's data */
  readonly replies?: (request: ReceivedRequest) => readonly unknown[];
}

/** A running responder. Disposing it ends its stream. */
export interface Responder extends AsyncDisposable {
  /** Requests that it got, in order. */
  readonly requests: readonly ReceivedRequest[];
  /** What was answered to its replies, in order. */
  readonly answers: readonly Answer[];
}

/** Subscribes, and replies to each message that asks for it. */
export async function startResponder(url: string, options: ResponderOptions): Promise<Responder> {
  const { topic, replies = ({ data }) => [data] } = options;
  const stream = await openStream(`${url}/subscribe?topic=${encodeURIComponent(topic)}`, {
    timeoutMs: 600_000,
  });
  await stream.until(({ event }) => event === "$ready");
  const requests: ReceivedRequest[] = [];
  const answers: Answer[] = [];
  const work = async () => {
    for await (const { event, data } of stream) {
      if (event.startsWith("$")) continue;
      const request: ReceivedRequest = JSON.parse(data);
      requests.push(request);
      for (const reply of replies(request)) {
        answers.push(await sendReply(url, { replyTo: request.replyTo, data: reply }));
      }
    }
  };
  // its end is the end of its stream
  const working = work().catch(() => {});
  return {
    requests,
    answers,
    [Symbol.asyncDispose]: async () => {
      await stream.close();
      await working;
    },
  };
}

/** Sends one reply and returns the answer, whatever its status. */
export function sendReply(
  url: string,
  reply: { readonly replyTo: string } & Record<string, unknown>,
): Promise<Answer> {
  return send(`${url}/reply`, { json: reply });
}
