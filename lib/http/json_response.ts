/** Answers with a value as JSON. The handler adds the headers that every answer has. */
export function jsonResponse(value: unknown, status = 200): Response {
  return jsonTextResponse(JSON.stringify(value), status);
}

/** Answers with text that is JSON already. */
export function jsonTextResponse(json: string, status = 200): Response {
  return new Response(json, { status, headers: JSON_HEADERS });
}

const JSON_HEADERS = { "content-type": "application/json" };
