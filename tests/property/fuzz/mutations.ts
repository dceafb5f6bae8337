/** What can go wrong with a request that was valid. */
import { joinBytes } from "./bytes.ts";
import type { Chance } from "./chance.ts";
import { type FuzzRequest, rawJson, type WireRequest } from "./fuzz_request.ts";
import {
  ODD_ENCODINGS,
  ODD_HEADERS,
  ODD_METHODS,
  ODD_NUMBERS,
  ODD_TEXTS,
  ODD_TYPES,
  ODD_VALUES,
} from "./oddities.ts";

/** Changes one thing of a request. */
type Mutation = (request: FuzzRequest, chance: Chance) => void;
/** Changes one thing of a request as it is sent. */
type WireMutation = (wire: WireRequest, chance: Chance) => WireRequest;

const FIELDS = [
  ...["topic", "data", "dataBase64", "type", "key", "headers", "contentType", "idempotencyKey"],
  ...["ttlMs", "delayMs", "at", "durability", "confirm", "replicas", "messages", "atomic", "ids"],
  ...["group", "consumer", "attempt", "since", "max", "waitMs", "leaseMs", "outcome", "lease"],
  ...[
    "subscription",
    "timeoutMs",
    "replies",
    "replyTo",
    "maxDeliveries",
    "maxMessages",
    "maxAgeMs",
  ],
  ...["__proto__", "constructor", "nope", ""],
];
const PARAMETERS = [
  ...["topic", "since", "lastEventId", "limit", "wait", "format", "conflate", "group", "consumer"],
  ...["max", "leaseMs", "prefix", "after", "before", "order", "type", "key", "ttlMs", "delayMs"],
  ...["at", "durability", "replicas", "idempotencyKey", "nope", "__proto__", "", "ticket"],
];
const ORIGINS = [
  ...["http://example.com", "http://127.0.0.1:1", "http://[::1]:8000", "http://a.localhost"],
  ...["http://127.1.2.3", "http://localhost.example.com", "https://localhost", "http://0.0.0.0"],
];

/** A value of another kind, or more often of the kind that stood there; a copy, since a second change may go into it. */
function oddValue(chance: Chance, before?: unknown): unknown {
  const isKept = chance.is(0.7);
  if (isKept && typeof before === "string") return chance.pick(ODD_TEXTS);
  if (isKept && typeof before === "number") return rawJson(chance.pick(ODD_NUMBERS));
  return structuredClone(chance.pick(ODD_VALUES));
}

/** Everything that holds values in a JSON document. */
function holders(value: unknown, found: Record<string, unknown>[] = []) {
  if (typeof value !== "object" || value === null) return found;
  // an array's elements are read and written by index like a record's by name
  found.push(value as Record<string, unknown>);
  for (const inner of Object.values(value)) holders(inner, found);
  return found;
}

function set(holder: Record<string, unknown>, name: string, value: unknown): void {
  // an assignment would change the prototype where that is the name
  const how = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(holder, name, how);
}

function changeField(
  { body }: FuzzRequest,
  chance: Chance,
  change: (holder: Record<string, unknown>, name: string) => void,
): void {
  if (body === undefined || body.kind === "bytes") return;
  const all = holders(body.kind === "json" ? body.value : body.values);
  const filled = all.filter((holder) => Object.keys(holder).length > 0);
  if (filled.length === 0) return;
  const holder = chance.pick(filled);
  change(holder, chance.pick(Object.keys(holder)));
}

function atRandom<T>(list: T[], chance: Chance, change: (at: number) => void): void {
  if (list.length > 0) change(chance.int(list.length));
}

const inFields: readonly Mutation[] = [
  (request, chance) =>
    changeField(
      request,
      chance,
      (holder, name) => set(holder, name, oddValue(chance, holder[name])),
    ),
  (request, chance) => changeField(request, chance, (holder, name) => delete holder[name]),
  (request, chance) =>
    changeField(
      request,
      chance,
      (holder) => set(holder, chance.pick(FIELDS), oddValue(chance, chance.pick(["", 0]))),
    ),
];

const inBody: readonly Mutation[] = [
  (request, chance) => {
    const { body } = request;
    if (body?.kind === "json") {
      body.value = chance.pick([
        [body.value],
        { messages: body.value },
        JSON.stringify(body.value),
      ]);
    }
  },
  (request, chance) => void (request.body = { kind: "json", value: oddValue(chance) }),
  (request, chance) => {
    const length = chance.pick([0, 1, 10, 300, 16_384, 16_385, 40_000]);
    request.body = { kind: "bytes", bytes: chance.bytes(length) };
  },
  (request) => void (request.body = undefined),
];

const inHead: readonly Mutation[] = [
  ({ headers }, chance) => void headers.push([...chance.pick(ODD_HEADERS)]),
  ({ headers }, chance) => atRandom(headers, chance, (at) => headers.splice(at, 1)),
  (request, chance) => {
    request.headers = request.headers.filter(([name]) => name !== "content-type");
    request.headers.push(["content-type", chance.pick(ODD_TYPES)]);
  },
  (request, chance) => void (request.method = chance.pick(ODD_METHODS)),
  (request, chance) => void (request.origin = chance.pick(ORIGINS)),
];

const inTarget: readonly Mutation[] = [
  ({ segments }, chance) =>
    atRandom(segments, chance, (at) => segments[at] = chance.pick(ODD_TEXTS)),
  ({ segments }, chance) => void segments.push(chance.pick(["", "a", "messages", "groups", "x"])),
  (request) => void (request.segments = ["functions", "v1", ...request.segments]),
  ({ segments }, chance) => atRandom(segments, chance, (at) => segments.splice(at, 1)),
  ({ query }, chance) =>
    atRandom(query, chance, (at) => query.push([query[at]?.[0] ?? "", chance.pick(ODD_TEXTS)])),
  ({ query }, chance) =>
    atRandom(query, chance, (at) => query[at] = [query[at]?.[0] ?? "", chance.pick(ODD_NUMBERS)]),
  ({ query }, chance) => void query.push([chance.pick(PARAMETERS), chance.pick(ODD_TEXTS)]),
  ({ query }, chance) => void query.push([chance.pick(PARAMETERS), chance.pick(ODD_NUMBERS)]),
  ({ query }, chance) => atRandom(query, chance, (at) => query.splice(at, 1)),
  ({ query }, chance) =>
    void query.push(...chance.some(30, 60, (): [string, string] => ["topic", "a"])),
];

const ALL = [...inBody, ...inHead, ...inTarget];

/** Changes one thing, half of the time a field where there are some: it is there that most can be wrong. */
export function mutate(request: FuzzRequest, chance: Chance): void {
  chance.pick(request.body !== undefined && chance.is(0.5) ? inFields : ALL)(request, chance);
}

/** Changes one thing of what is sent, beyond what parts can say. */
export function mutateWire(wire: WireRequest, chance: Chance): WireRequest {
  return chance.pick(ON_THE_WIRE)(wire, chance);
}

const ON_THE_WIRE: readonly WireMutation[] = [flipBytes, cutBody, doubleField, encodeOddly];

function flipBytes(wire: WireRequest, chance: Chance): WireRequest {
  if (wire.body === undefined || wire.body.length === 0) return wire;
  const body = wire.body.slice();
  for (let i = chance.int(4); i >= 0; i--) {
    const at = chance.int(body.length);
    body[at] = (body[at] ?? 0) ^ (1 << chance.int(8));
  }
  return { ...wire, body };
}

function cutBody(wire: WireRequest, chance: Chance): WireRequest {
  if (wire.body === undefined) return wire;
  return { ...wire, body: wire.body.slice(0, chance.int(wire.body.length + 1)) };
}

/** No object has a name twice, but a text can. */
function doubleField(wire: WireRequest, chance: Chance): WireRequest {
  if (wire.body?.[0] !== 0x7b) return wire;
  const twice = new TextEncoder().encode(`{"${chance.pick(FIELDS)}":1,`);
  return { ...wire, body: joinBytes(twice, wire.body.subarray(1)) };
}

function encodeOddly(wire: WireRequest, chance: Chance): WireRequest {
  const at = 1 + chance.int(wire.target.length);
  const odd = chance.pick(ODD_ENCODINGS);
  return { ...wire, target: wire.target.slice(0, at) + odd + wire.target.slice(at) };
}
