/** What an answer has beside its body and the headers that every answer has. */
export interface JsonResponseOptions {
  /** @default 200 */
  readonly status?: number;
  /** Further headers. @default {} */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Answers with a value as JSON. The handler adds the headers that every answer has. */
export function jsonResponse(value: unknown, options?: JsonResponseOptions): Response {
  return jsonTextResponse(JSON.stringify(value), options);
}

/** Answers with text that is JSON already. */
export function jsonTextResponse(
  json: string,
  { status = 200, headers }: JsonResponseOptions = {},
): Response {
  return new Response(json, {
    status,
    headers: headers === undefined ? JSON_HEADERS : { ...JSON_HEADERS, ...headers },
  });
}

const JSON_HEADERS = { "content-type": "application/json" };
