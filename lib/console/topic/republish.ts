import { republishBody } from "./curl.ts";
import { EMPTY_DRAFT, type PublishDraft } from "./publish_draft.ts";
import { kindAt } from "./raw_json.ts";
import { payloadText, type RawMessage } from "./raw_message.ts";

/** A message as it stands in the publish form, to be changed and published again. */
export function draftOf(message: RawMessage): PublishDraft {
  const isText = kindAt(message.text, message.payload.start) === "string";
  const payload = payloadText(message);
  // without what only a dead letter has
  const { headers = {} }: { headers?: Record<string, string> } = JSON.parse(
    republishBody(message) ?? "{}",
  );
  return {
    ...EMPTY_DRAFT,
    kind: isText ? "text" : "json",
    payload: isText ? JSON.parse(payload) : indented(payload),
    type: message.type ?? "",
    key: message.key ?? "",
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  };
}

/** With lines, where that changes nothing but white space. */
function indented(json: string): string {
  const value = JSON.parse(json);
  return JSON.stringify(value) === json ? JSON.stringify(value, undefined, 2) : json;
}
