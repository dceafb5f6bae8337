import { type FieldError, RunnelError } from "../errors.ts";
import { invalidFields } from "./field_errors.ts";

/** Reads one parameter from all values it was given; throws a {@link ParameterError} for values it does not know. */
export interface Parameter<T> {
  (values: readonly string[]): T;
  /** What it takes, for the API's description. */
  readonly schema: ParameterSchema;
}

/** The values of a parameter as JSON Schema. */
export interface ParameterSchema {
  readonly type: "string" | "integer" | "array";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly items?: ParameterSchema;
}

/** The parameters that an endpoint knows, by name. */
export type QueryShape = Readonly<Record<string, Parameter<unknown>>>;

/** What {@link readQuery} gives for a shape. */
export type QueryValues<S extends QueryShape> = { readonly [K in keyof S]: ReturnType<S[K]> };

/** Where {@link readQuery} reads. */
export interface QuerySource {
  /** The query with its `?`, still encoded; empty where there is none. */
  readonly search: string;
  /** Headers that may say the same as `x-runnel-<name>`, with `-` before what is upper-case in the name. */
  readonly headers?: Headers;
}

/** Why a parameter's value is refused; its message is public. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
}

/**
 * The query's parameters as `shape` describes them. Where `headers` are given a parameter may come as a header
 * instead; the query wins.
 *
 * @throws {RunnelError} `invalid_request` with the pointer `?name` (or the header's name) for each parameter that is not
 * known, has a value that is not known, or is not percent-encoded UTF-8.
 */
export function readQuery<S extends QueryShape>(source: QuerySource, shape: S): QueryValues<S> {
  const given = source.search.length > 1 ? parseSearch(source.search) : new Map<string, string[]>();
  const errors = unknownNames(given, shape);
  const fromHeaders = source.headers === undefined
    ? undefined
    : readHeaders(source.headers, shape, errors);
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(shape)) {
    const inQuery = given.get(name);
    const pointer = inQuery === undefined && fromHeaders?.has(name) ? headerName(name) : `?${name}`;
    try {
      values[name] = parameter(inQuery ?? fromHeaders?.get(name) ?? []);
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      errors.push({ pointer, detail: error.message });
    }
  }
  if (errors.length > 0) throw invalidFields(errors);
  // The loop has filled exactly the shape's names with what its parameters returned.
  return values as QueryValues<S>;
}

/** Any text, undefined where absent. */
export function text(): Parameter<string | undefined> {
  return parameter(STRING, one);
}

/** Every value of a parameter that can be repeated, in order. */
export function texts(): Parameter<readonly string[]> {
  return parameter({ type: "array", items: STRING }, (values) => values);
}

/** A whole number within limits, undefined where absent. */
export function integer(
  options: { min?: number; max?: number } = {},
): Parameter<number | undefined> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const schema = { type: "integer", minimum: min, maximum: max } as const;
  return parameter(schema, (values) => {
    const value = one(values);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (/^-?\d{1,16}$/.test(value) && number >= min && number <= max) return number;
    throw new ParameterError(`Must be a whole number from ${min} to ${max}`);
  });
}

/** `1` or `true`, `0` or `false`; undefined where absent. */
export function flag(): Parameter<boolean | undefined> {
  return parameter({ type: "string", enum: ["1", "0", "true", "false"] }, (values) => {
    const value = one(values);
    if (value === undefined) return undefined;
    if (value === "1" || value === "true") return true;
    if (value === "0" || value === "false") return false;
    throw new ParameterError("Must be 1 or 0");
  });
}

/** One of the given texts, undefined where absent. */
export function oneOf<const T extends string>(...known: readonly T[]): Parameter<T | undefined> {
  return parameter({ type: "string", enum: known }, (values) => {
    const value = one(values);
    if (value === undefined) return undefined;
    const found = known.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw new ParameterError(`Must be one of: ${known.join(", ")}`);
  });
}

const STRING = { type: "string" } as const;

function parameter<T>(
  schema: ParameterSchema,
  read: (values: readonly string[]) => T,
): Parameter<T> {
  return Object.assign((values: readonly string[]) => read(values), { schema });
}

function one(values: readonly string[]): string | undefined {
  if (values.length > 1) throw new ParameterError("Must be given once");
  return values[0];
}

function unknownNames(given: Map<string, string[]>, shape: QueryShape): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of given.keys()) {
    if (!Object.hasOwn(shape, name)) errors.push({ pointer: `?${name}`, detail: "Not known" });
  }
  return errors;
}

/** Unlike URLSearchParams this refuses what is not UTF-8: replaced characters would make another topic of it. */
function parseSearch(search: string): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (const pair of search.slice(1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), "?");
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1), `?${name}`);
    const values = given.get(name);
    if (values === undefined) given.set(name, [value]);
    else values.push(value);
  }
  return given;
}

function decode(encoded: string, pointer: string): string {
  const spaced = encoded.includes("+") ? encoded.replaceAll("+", " ") : encoded;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (cause) {
    const detail = "Must be percent-encoded UTF-8";
    throw new RunnelError("invalid_request", `${pointer}: ${detail}`, {
      cause,
      errors: [{ pointer, detail }],
    });
  }
}

const HEADER_PREFIX = "x-runnel-";

/** The header that may stand for a parameter. */
export function headerName(parameter: string): string {
  return HEADER_PREFIX + parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Header values are bytes; those above ASCII are UTF-8 that the runtime shows as Latin-1. */
function readHeaders(
  headers: Headers,
  shape: QueryShape,
  errors: FieldError[],
): Map<string, string[]> {
  const names = new Map(Object.keys(shape).map((name) => [headerName(name), name]));
  const found = new Map<string, string[]>();
  for (const [header, value] of headers) {
    if (!header.startsWith(HEADER_PREFIX)) continue;
    const name = names.get(header);
    const text = headerText(value);
    if (name === undefined) errors.push({ pointer: header, detail: "Not known" });
    else if (text === undefined) errors.push({ pointer: header, detail: "Must be UTF-8" });
    else found.set(name, [text]);
  }
  return found;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A header's value as UTF-8 text; undefined where its bytes are not UTF-8. */
export function headerText(value: string): string | undefined {
  // deno-lint-ignore no-control-regex -- the range is ASCII
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  try {
    return utf8.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
