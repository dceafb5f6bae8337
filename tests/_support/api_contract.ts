/** Holds real answers against the API's own description. */
import assert, { AssertionError } from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/2020";
import addFormats from "ajv-formats";
import type { ApiContent, ApiDocument, ApiOperation } from "../../lib/docs/api_document.ts";
import type { Fetch } from "./http.ts";
import { type SseBlock, SseParser } from "./sse_parser.ts";

/** An answer that was found to be as it is described. */
export interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** Its JSON; undefined where it is none. */
  readonly json: unknown;
  /** The names of its parts, where it is a stream. */
  readonly parts: readonly string[];
}

/** A block of an event stream as it was checked. */
export interface Block {
  /** The part that it is. */
  readonly name: string;
  /** Undefined where it has none. */
  readonly data: unknown;
  /** Its event, id and retry, as far as it has them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An operation by its method and the path as it is described: `POST /publish/{topic}`. */
export type OperationName = `${string} ${string}`;

type Json = Record<string, unknown>;
type Place = readonly string[];

/** Headers that an answer has only where it is described. */
const TELLING = [
  ...["retry-after", "www-authenticate", "allow", "ratelimit", "ratelimit-policy"],
];

/** What is described, and what of it was seen. */
export class ApiContract {
  readonly document: ApiDocument;
  /** `POST /publish 200` for each answer that was checked. */
  readonly seen = new Set<string>();
  /** Error codes that were seen. */
  readonly codes = new Set<string>();
  readonly #ajv = new Ajv2020({ strict: false, validateSchema: false, formats: { base64: true } });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(text: string) {
    this.document = JSON.parse(text);
    // @ts-types of ajv-formats name its default export twice
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addSchema(closed(this.document) as Json, "api");
  }

  /** The name of each operation, with the operation. */
  get operations(): [OperationName, ApiOperation][] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [OperationName, ApiOperation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ])
    );
  }

  /**
   * Sends a request and checks that the answer is among those of the operation; where it is a good one, also that the
   * request is as described.
   *
   * @throws {AssertionError} what is not as described
   */
  async call(name: OperationName, request: Request, fetch: Fetch): Promise<Told> {
    const copy = request.clone();
    const response = await fetch(request);
    const [method = "", path = ""] = name.split(" ");
    const place: Place = ["paths", path, method.toLowerCase()];
    const told = await this.check([...place, "responses", String(response.status)], response, name);
    this.seen.add(`${name} ${response.status}`);
    // of 207 some messages are not as described
    if (response.ok && response.status !== 207) await this.#checkRequest(place, copy, name);
    return told;
  }

  /**
   * Checks an answer against the description at a place of the document.
   *
   * @throws {AssertionError} what is not as described
   */
  async check(place: Place, response: Response, name: string): Promise<Told> {
    const { status, headers } = response;
    const what = `${name} ${status}`;
    // the description of an answer is an object
    const described = at(this.document, place) as Json | undefined;
    if (described === undefined) {
      throw new AssertionError({ message: `${what} is not described: ${await response.text()}` });
    }
    const named = (described.headers ?? {}) as Json;
    assert.ok(headers.has("x-request-id") && Object.hasOwn(named, "x-request-id"), what);
    for (const header of TELLING) {
      if (headers.has(header)) assert.ok(Object.hasOwn(named, header), `${what} has ${header}`);
    }
    const contents = described.content as Record<string, ApiContent> | undefined;
    if (contents === undefined) {
      assert.equal(await response.text(), "", what);
      return { status, headers, json: undefined, parts: [] };
    }
    const type = (headers.get("content-type") ?? "").split(";")[0]!.trim();
    const content = contents[type];
    assert.ok(content, `${what} has the content type ${type}`);
    const inside = [...place, "content", type];
    if (content["x-parts"] !== undefined) {
      const parts = await this.#checkStream([...inside, "x-parts"], response, what);
      return { status, headers, json: undefined, parts };
    }
    const text = await response.text();
    if (!type.endsWith("json")) return { status, headers, json: undefined, parts: [] };
    const json = JSON.parse(text);
    this.#validate([...inside, "schema"], json, what);
    if (status >= 400) this.codes.add(json.code);
    return { status, headers, json, parts: [] };
  }

  /**
   * Checks a value against a schema of the document.
   *
   * @throws {AssertionError} what is wrong with it
   */
  validate(place: Place, value: unknown, what: string): void {
    this.#validate(place, value, what);
  }

  async #checkRequest(place: Place, request: Request, what: string): Promise<void> {
    const operation = at(this.document, place) as ApiOperation;
    const known = (operation.parameters ?? []).filter((one) => one.in === "query");
    for (const name of new URL(request.url).searchParams.keys()) {
      assert.ok(name === "ticket" || known.some((one) => one.name === name), `${what} ?${name}`);
    }
    const type = (request.headers.get("content-type") ?? "").split(";")[0]!;
    const contents = operation.requestBody?.content ?? {};
    const content = contents[type];
    if (content === undefined || !/[/+]json$/.test(type)) return;
    const schema = [...place, "requestBody", "content", type, "schema"];
    this.#validate(schema, await request.json(), `the body of ${what}`);
  }

  async #checkStream(place: Place, response: Response, what: string): Promise<string[]> {
    const isSse = response.headers.get("content-type")?.startsWith("text/event-stream");
    const text = await response.text();
    if (!isSse) {
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => this.#checkLine(place, JSON.parse(line), what));
    }
    const blocks = new SseParser().push(new TextEncoder().encode(text));
    return blocks.map((block, i) => this.checkBlock(place, [block, blocks[i - 1]], what).name);
  }

  #checkLine(place: Place, line: unknown, what: string): string {
    const parts = at(this.document, place) as Json;
    const event = typeof line === "object" && line !== null && "event" in line ? line.event : "";
    if (typeof event === "string" && Object.hasOwn(parts, event)) {
      this.#validate([...place, event, "schema"], line, `${what} ${event}`);
      return event;
    }
    return this.#checkAny(place, line, what);
  }

  /**
   * Checks one block of an event stream, given with the one before; gives what it is.
   *
   * @throws {AssertionError} what is not as described
   */
  checkBlock(
    place: Place,
    [block, before]: [SseBlock, SseBlock | undefined],
    what: string,
  ): Block {
    const parts = at(this.document, place) as Json;
    if (block.data === undefined) {
      assert.ok(Object.hasOwn(parts, "heartbeat"), what);
      return { name: "heartbeat", data: undefined, fields: fieldsOf(block, before) };
    }
    const isSystem = block.event.startsWith("$");
    const data = parsed(block.data);
    const name = isSystem ? block.event : this.#checkAny(place, data, what);
    if (isSystem) this.#validate([...place, name, "schema"], data, `${what} ${name}`);
    const fields = fieldsOf(block, before);
    this.#validate([...place, name, "fields"], fields, `the fields of ${what} ${name}`);
    return { name, data, fields };
  }

  /** The first part that a value fits, which is not one with a name of its own. */
  #checkAny(place: Place, value: unknown, what: string): string {
    const parts = at(this.document, place) as Json;
    const names = Object.keys(parts).filter((name) => !name.startsWith("$"));
    const fitting = names.find((name) =>
      Object.hasOwn(parts[name] as Json, "schema") &&
      this.#compile([...place, name, "schema"])(value)
    );
    assert.ok(fitting, `${what}: no part is like ${JSON.stringify(value)}`);
    return fitting;
  }

  #validate(place: Place, value: unknown, what: string): void {
    const validate = this.#compile(place);
    if (validate(value)) return;
    const reasons = JSON.stringify(validate.errors, undefined, 1);
    throw new AssertionError({ message: `${what}: ${JSON.stringify(value)}\n${reasons}` });
  }

  #compile(place: Place): ValidateFunction {
    const pointer = place.map((one) =>
      encodeURIComponent(one.replaceAll("~", "~0").replaceAll("/", "~1"))
    ).join("/");
    const known = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `api#/${pointer}` });
    this.#compiled.set(pointer, known);
    return known;
  }
}

/** The fields of a block beside its data; an id holds until there is another. */
function fieldsOf({ event, id, retry }: SseBlock, before: SseBlock | undefined): Json {
  return {
    ...(event === "message" ? {} : { event }),
    ...(id === (before?.id ?? "") ? {} : { id }),
    ...(retry === undefined ? {} : { retry }),
  };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

function at(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inner, name) => (inner as Json | undefined)?.[name], value);
}

/** A document whose objects have no fields but those that are described: an answer may have no other here. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, closed(inner)] as const);
  const isOpen = "type" in value && value.type === "object" && "properties" in value &&
    !("additionalProperties" in value);
  return Object.fromEntries([...entries, ...isOpen ? [["additionalProperties", false]] : []]);
}
