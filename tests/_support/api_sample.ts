/** Requests made of what the API's description gives as examples. */
import type { ApiOperation } from "../../lib/docs/api_document.ts";
import type { OperationName } from "./api_contract.ts";

/** What a sample differs in from the examples. */
export interface SampleOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of path segments. @default the examples */
  readonly params?: Readonly<Record<string, string>>;
  /** The query with its `?`. @default "" */
  readonly search?: string;
  /** The media type of the body. @default "application/json" */
  readonly type?: string;
  /** Sent as JSON. @default the example of that type */
  readonly json?: unknown;
  /** Sent as it is, in place of JSON; null sends nothing. */
  readonly body?: BodyInit | null;
}

/** A request for an operation; what is not given is the first example of its description. */
export function sampleOf(
  url: string,
  [name, operation]: readonly [OperationName, ApiOperation],
  options: SampleOptions = {},
): Request {
  const { headers = {}, params = {}, search = "", type = "application/json" } = options;
  const [method = "", template = ""] = name.split(" ");
  const examples = new Map(
    (operation.parameters ?? []).filter((one) => one.in === "path").map((one) =>
      [one.name, String(one.example ?? one.name)] as const
    ),
  );
  const path = template.replaceAll(
    /\{(\w+)\}/g,
    (_, name) => encodeURIComponent(params[name] ?? examples.get(name) ?? name),
  );
  const content = operation.requestBody?.content[type];
  const json = options.json ?? content?.example;
  const body = options.body === undefined && json !== undefined
    ? JSON.stringify(json)
    : options.body ?? null;
  return new Request(`${url}${path}${search}`, {
    method,
    headers: {
      ...(json === undefined && options.body === undefined ? {} : { "content-type": type }),
      ...headers,
    },
    ...(method === "GET" || body === null ? {} : { body }),
  });
}
