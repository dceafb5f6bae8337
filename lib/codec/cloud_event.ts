import { RunnelError } from "../errors.ts";
import { isJsonType, mediaType } from "./payload.ts";

/** The value of a context attribute: text, a whole number of 32 bits, or a boolean. */
export type AttributeValue = string | number | boolean;

/** A CloudEvent of version 1.0, checked. */
export interface CloudEvent {
  /** Its context attributes without `specversion`, extensions among them, sorted by name. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** What it says; empty where the event has no data. */
  readonly payload: EventPayload;
}

/** The data of an event: one of the two, or none. */
export interface EventPayload {
  /** Any JSON value; text where `datacontenttype` is not JSON's. */
  readonly data?: unknown;
  /** Bytes in base64. */
  readonly dataBase64?: string | undefined;
}

/** An event before it is checked. */
export interface EventParts {
  /** The attributes that are set, by name, `specversion` among them. */
  readonly attributes: ReadonlyMap<string, unknown>;
  readonly payload: EventPayload;
  /** Where an attribute stands in the request, for what is said of it. */
  readonly pointerOf: (name: string) => string;
}

/** The only version there is. */
export const SPEC_VERSION = "1.0";

/** The media type of one event as JSON. */
export const EVENT_TYPE = "application/cloudevents+json";

/** The media type of a JSON array of events. */
export const EVENT_BATCH_TYPE = "application/cloudevents-batch+json";

const FAULTS_MOST = 50;
const ATTRIBUTES_MOST = 128;
const INTEGER_MOST = 2 ** 31;

const NAME = /^[a-z0-9]+$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;
const URI_REFERENCE = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})+$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
// what the specification forbids in text: controls, half surrogate pairs, and what is no character at all
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/**
 * An event in the JSON event format. An attribute that is null counts as unset.
 *
 * @throws {RunnelError} `invalid_request` with a pointer to each attribute at fault.
 */
export function parseEvent(value: unknown): CloudEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const detail = "Must be an event, which is a JSON object";
    throw new RunnelError("invalid_request", detail, { errors: [{ pointer: "#", detail }] });
  }
  const { data, data_base64: dataBase64, ...rest } = value as Record<string, unknown>;
  const binary = dataBase64 !== undefined && dataBase64 !== null;
  const set = Object.entries(rest).filter(([, one]) => one !== undefined && one !== null);
  return checkEvent({
    attributes: new Map(set),
    payload: {
      ...(Object.hasOwn(value, "data") ? { data } : {}),
      // what is no text is refused with the rest
      ...(binary ? { dataBase64: dataBase64 as string } : {}),
    },
    pointerOf: memberPointer,
  });
}

/** Where a member stands in an event as JSON: a JSON pointer. */
export function memberPointer(name: string): string {
  const escaped = name.replaceAll("~", "~0").replaceAll("/", "~1");
  return `#/${encodeURIComponent(escaped.toWellFormed())}`;
}

/**
 * The event that these parts are.
 *
 * @throws {RunnelError} `invalid_request` with a pointer to each attribute at fault.
 */
export function checkEvent({ attributes, payload, pointerOf }: EventParts): CloudEvent {
  const faults = [...attributeFaults(attributes), ...payloadFaults(attributes, payload)];
  const [first] = faults;
  if (first !== undefined) {
    const errors = faults.slice(0, FAULTS_MOST)
      .map(({ name, detail }) => ({ pointer: name === undefined ? "#" : pointerOf(name), detail }));
    const detail = `The event is not valid: ${errors[0]?.pointer}: ${first.detail}`;
    throw new RunnelError("invalid_request", detail, { errors });
  }
  // sorted, so that the same event is the same message, whatever way and order it comes in; what has no fault has the
  // values of one
  const sorted = [...attributes].filter(([name]) => name !== "specversion")
    .sort(([a], [b]) => (a < b ? -1 : 1)) as [string, AttributeValue][];
  return { attributes: new Map(sorted), payload };
}

interface Fault {
  /** Unset where it is the whole event's. */
  readonly name?: string;
  readonly detail: string;
}

function* attributeFaults(attributes: ReadonlyMap<string, unknown>): Generator<Fault> {
  for (const name of ["specversion", "id", "source", "type"]) {
    if (!attributes.has(name)) yield { name, detail: "Every event has it" };
  }
  if (attributes.size > ATTRIBUTES_MOST) {
    yield { detail: `An event has at most ${ATTRIBUTES_MOST} attributes` };
  }
  for (const [name, value] of attributes) {
    const detail = attributeFault(name, value);
    if (detail !== undefined) yield { name, detail };
  }
}

/** Why an attribute cannot be one, undefined where it can. */
export function attributeFault(name: string, value: unknown): string | undefined {
  if (!NAME.test(name) || name === "data") {
    return "An attribute's name has lower-case letters and digits only";
  }
  if (Object.hasOwn(KNOWN, name)) {
    if (typeof value !== "string") return "Must be text";
    if (value === "") return "Must not be empty";
    return textFault(value) ?? KNOWN[name]?.(value);
  }
  if (typeof value === "string") return textFault(value);
  if (typeof value === "boolean") return undefined;
  const isInteger = typeof value === "number" && Number.isInteger(value) &&
    value >= -INTEGER_MOST && value < INTEGER_MOST;
  return isInteger ? undefined : "Must be text, a boolean or a whole number of 32 bits";
}

/** The attributes that the specification defines, each text, with what else they must be. */
const KNOWN: Readonly<Record<string, (value: string) => string | undefined>> = {
  id: () => undefined,
  type: () => undefined,
  subject: () => undefined,
  datacontenttype: () => undefined,
  specversion: (value) => value === SPEC_VERSION ? undefined : `Must be ${SPEC_VERSION}`,
  source: (value) => URI_REFERENCE.test(value) ? undefined : "Must be a URI reference",
  dataschema: (value) =>
    URI_REFERENCE.test(value) && SCHEME.test(value) ? undefined : "Must be a URI",
  time: (value) =>
    isTimestamp(value) ? undefined : "Must be a time of RFC 3339, such as 2030-01-01T12:00:00Z",
};

function textFault(value: string): string | undefined {
  return FORBIDDEN.test(value) ? "Must not contain control characters" : undefined;
}

function isTimestamp(value: string): boolean {
  // a leap second is a time, but JavaScript knows none
  return TIMESTAMP.test(value) && !Number.isNaN(Date.parse(value.replace(/:60(?=[.Z+-])/i, ":59")));
}

function* payloadFaults(
  attributes: ReadonlyMap<string, unknown>,
  { dataBase64, ...given }: EventPayload,
): Generator<Fault> {
  const hasData = "data" in given;
  if (dataBase64 !== undefined) {
    // a client's JSON may hold anything
    const base64: unknown = dataBase64;
    if (typeof base64 !== "string" || !BASE64.test(base64)) {
      yield { name: "data_base64", detail: "Must be base64" };
    }
    if (hasData) yield { name: "data", detail: "Not together with data_base64" };
  } else if (hasData && typeof given.data !== "string") {
    const type = attributes.get("datacontenttype");
    if (typeof type === "string" && !isJsonEventType(type)) {
      yield { name: "data", detail: "Must be text, since datacontenttype is not JSON's" };
    }
  }
}

/** Whether a `datacontenttype` declares JSON: the subtype is `json` or ends in `+json`. */
export function isJsonEventType(type: string): boolean {
  const media = mediaType(type);
  return isJsonType(media) || media.endsWith("/json");
}
