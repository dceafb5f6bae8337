/** What a topic holds, read over HTTP. */
import assert from "node:assert/strict";
import { send } from "./http.ts";
import type { ReceivedMessage } from "./sse.ts";

/** All stored messages of a topic, oldest first, however many pages they are. */
export async function readHistory(url: string, topic: string): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ limit: "1000", ...(after === undefined ? {} : { after }) });
    const { status, body } = await send(
      `${url}/topics/${encodeURIComponent(topic)}/messages?${query}`,
    );
    assert.equal(status, 200, JSON.stringify(body));
    // The API's contract; what is in the messages is for the tests to check.
    const page = body as unknown as { messages: ReceivedMessage[]; next?: string };
    all.push(...page.messages);
    after = page.next;
  } while (after !== undefined);
  return all;
}
