/** Small helpers for tests that talk HTTP to Runnel. */
import assert from "node:assert/strict";

/** What sends a request: the global fetch, or a handler called in this process. */
export type Fetch = (request: Request) => Promise<Response>;

/** An answer with its body read and parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The tests look into it freely; assertions are what checks it.
  readonly body: Record<string, unknown>;
}

/** Options of {@link send}. */
export interface SendOptions {
  readonly fetch?: Fetch;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  readonly signal?: AbortSignal;
}

/** Sends a request (a POST where it has a body, else a GET) and reads its JSON answer. */
export async function send(url: string | URL, options: SendOptions = {}): Promise<Answer> {
  const { fetch: call = fetch, headers = {}, json, body, signal } = options;
  const payload = json === undefined ? body : JSON.stringify(json);
  const method = options.method ?? (payload === undefined ? "GET" : "POST");
  const type: Record<string, string> = json === undefined
    ? {}
    : { "content-type": "application/json" };
  const request = new Request(url, {
    method,
    headers: { ...type, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
    ...(signal === undefined ? {} : { signal }),
  });
  const response = await call(request);
  return { status: response.status, headers: response.headers, body: await readBody(response) };
}

async function readBody(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return { text };
  }
}

/** A JSON envelope; its other fields go with it as they are. */
export interface Publication extends Record<string, unknown> {
  readonly topic: string;
  readonly data: unknown;
}

/** Publishes one JSON envelope and returns the answer, whatever its status. */
export function publish(
  url: string,
  message: Publication,
  options: Omit<SendOptions, "json" | "body"> = {},
): Promise<Answer> {
  return send(`${url}/publish`, { ...options, json: message });
}

/** Publishes and returns the message's id; fails unless it was stored. */
export async function publishId(url: string, message: Publication): Promise<string> {
  const { status, body } = await publish(url, message);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(typeof body.id, "string");
  return String(body.id);
}

/** Fails unless the answer is a problem document (RFC 9457) with this status and code; returns its body. */
export function assertProblem(
  { status, headers, body }: Answer,
  expected: { status: number; code: string; pointer?: string },
): Record<string, unknown> {
  assert.equal(body.code, expected.code, JSON.stringify(body));
  assert.equal(status, expected.status, JSON.stringify(body));
  assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
  for (const field of ["type", "title", "detail"]) {
    assert.equal(typeof body[field], "string", field);
  }
  assert.equal(body.status, expected.status);
  assert.equal(typeof body.retryable, "boolean");
  assert.equal(body.requestId, headers.get("x-request-id"));
  if (expected.pointer !== undefined) {
    const errors = body.errors as { pointer: string; detail: string }[] | undefined;
    assert.ok(Array.isArray(errors), JSON.stringify(body));
    assert.ok(errors.some((error) => error.pointer === expected.pointer), JSON.stringify(body));
  }
  return body;
}
