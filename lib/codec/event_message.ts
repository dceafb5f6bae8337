import {
  attributeFault,
  type AttributeValue,
  type CloudEvent,
  isJsonEventType,
  SPEC_VERSION,
} from "./cloud_event.ts";
import { writeJson } from "./json.ts";
import {
  type Delivery,
  type MessageFields,
  parseBody,
  type StoredMessage,
  typeProblem,
} from "./message.ts";

/** The `type` of a message that was published without one. */
export const DEFAULT_EVENT_TYPE = "runnel.message";

/** The attribute that is a message's key: CloudEvents' own extension for what belongs together. */
export const KEY_ATTRIBUTE = "partitionkey";

const HEADER = "ce-";
// no attribute has a hyphen in its name
const TYPES_HEADER = "ce-value-types";
/** Attributes that Runnel gives each event that it delivers; what another Runnel gave it is dropped. */
const OWN = /^runnel/;
/** Attributes that no header of a message can set. */
const TAKEN: ReadonlySet<string> = new Set([
  ...["specversion", "id", "source", "type", "time", "subject", "dataschema", "datacontenttype"],
  ...["data", KEY_ATTRIBUTE],
]);

/**
 * An event as a message: `type`, `partitionkey` and `datacontenttype` are its type, key and content type, every other
 * attribute a header `ce-<name>`. A type that cannot be the name of a browser's event is a header too.
 */
export function messageOfEvent({ attributes, payload }: CloudEvent): MessageFields {
  const headers: Record<string, string> = { "ce-specversion": SPEC_VERSION };
  const fields: Record<string, unknown> = {};
  const kinds: string[] = [];
  for (const [name, value] of attributes) {
    if (OWN.test(name)) continue;
    const field = FIELDS.get(name);
    if (field !== undefined && typeof value === "string" && fits(name, value)) {
      fields[field] = value;
      continue;
    }
    headers[HEADER + name] = String(value);
    if (typeof value !== "string") kinds.push(`${name}:${typeof value}`);
  }
  const isEmpty = !("data" in payload) && payload.dataBase64 === undefined;
  if (isEmpty) kinds.push("data:absent");
  if (kinds.length > 0) headers[TYPES_HEADER] = kinds.join(" ");
  return { ...fields, headers, ...(isEmpty ? { data: null } : payload) };
}

const FIELDS: ReadonlyMap<string, "type" | "key" | "contentType"> = new Map([
  ["type", "type"],
  [KEY_ATTRIBUTE, "key"],
  ["datacontenttype", "contentType"],
]);

function fits(name: string, value: string): boolean {
  return value !== "" && (name !== "type" || typeProblem(value) === undefined);
}

/**
 * Any message as a CloudEvent in JSON, on one line. One that was published as an event comes back as it was, with
 * attributes besides that say where it stands in Runnel (`runnelid`, `runneltopic`, ...).
 */
export function eventJson(stored: StoredMessage, delivery?: Delivery): string {
  const fields = parseBody(stored.body);
  const kinds = headerOf(fields, TYPES_HEADER)?.split(" ") ?? [];
  const own = validOf(publishedAttributes(fields, kinds) ?? attributesOf(stored, fields));
  return writeJson({
    specversion: SPEC_VERSION,
    ...own,
    ...plainAttributes(fields, own),
    ...placeOf(stored, fields, delivery),
    ...(kinds.includes("data:absent") ? {} : payloadOf(fields)),
  });
}

type Attributes = Record<string, AttributeValue | undefined>;

/** Without what no event may say: a message's key, for one, may hold line breaks. */
function validOf(attributes: Attributes): Attributes {
  const valid: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    valid[name] = attributeFault(name, value) === undefined ? value : DEFAULTS[name];
  }
  return valid;
}

const DEFAULTS: Readonly<Attributes> = { type: DEFAULT_EVENT_TYPE };

/** The attributes of a message that was published as an event, undefined where it was not. */
function publishedAttributes(
  { type, key, contentType, headers = {} }: MessageFields,
  kinds: readonly string[],
): Attributes | undefined {
  const given: Attributes = { id: undefined, source: undefined, type };
  for (const [header, text] of Object.entries(headers)) {
    if (!header.startsWith(HEADER) || header === TYPES_HEADER) continue;
    const name = header.slice(HEADER.length);
    const value = valueOf(text, kinds, name);
    if (!OWN.test(name) && attributeFault(name, value) === undefined) given[name] = value;
  }
  const { specversion, id, source, ...rest } = given;
  if (specversion === undefined || id === undefined || source === undefined) return undefined;
  return {
    ...{ id, source },
    ...rest,
    [KEY_ATTRIBUTE]: key ?? rest[KEY_ATTRIBUTE],
    datacontenttype: contentType,
  };
}

function valueOf(text: string, kinds: readonly string[], name: string): AttributeValue {
  if (kinds.includes(`${name}:number`)) return Number(text);
  return kinds.includes(`${name}:boolean`) ? text === "true" : text;
}

/** The attributes of a message that was not published as an event. */
function attributesOf(stored: StoredMessage, fields: MessageFields): Attributes {
  const { id, topic, time } = stored;
  const { type, key, contentType } = fields;
  const isOther = contentType !== undefined && fields.dataBase64 === undefined &&
    typeof fields.data !== "string" && !isJsonEventType(contentType);
  return {
    id: id ?? passingId(stored),
    source: `/topics/${encodeURIComponent(topic)}`,
    type,
    time: new Date(time).toISOString(),
    [KEY_ATTRIBUTE]: key,
    // an event may not claim that a JSON value is an image
    datacontenttype: isOther ? undefined : contentType,
  };
}

const passingIds = new WeakMap<StoredMessage, string>();

/** An id for an ephemeral message, which has none, the same for all subscribers of this process. */
function passingId(stored: StoredMessage): string {
  let id = passingIds.get(stored);
  if (id === undefined) passingIds.set(stored, id = crypto.randomUUID());
  return id;
}

/** Headers of a message that can be attributes as they are, such as `traceparent`. */
function plainAttributes({ headers = {} }: MessageFields, own: Attributes): Attributes {
  const plain: Attributes = {};
  for (const [name, value] of Object.entries(headers)) {
    if (TAKEN.has(name) || OWN.test(name) || Object.hasOwn(own, name)) continue;
    if (attributeFault(name, value) === undefined) plain[name] = value;
  }
  return plain;
}

function placeOf(
  { id, topic }: StoredMessage,
  { replyTo }: MessageFields,
  { deliveries, lease, leaseUntil }: Partial<Delivery> = {},
): Attributes {
  return {
    runnelid: id ?? undefined,
    runneltopic: topic,
    runnelreplyto: replyTo,
    runneldeliveries: deliveries,
    runnellease: lease,
    runnelleaseuntil: leaseUntil === undefined ? undefined : new Date(leaseUntil).toISOString(),
  };
}

function payloadOf({ data, dataBase64 }: MessageFields): Record<string, unknown> {
  return dataBase64 === undefined ? { data: data ?? null } : { data_base64: dataBase64 };
}

function headerOf({ headers = {} }: MessageFields, name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}
