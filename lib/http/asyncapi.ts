import { z } from "zod";
import { type ApiInfo, type DescribedRoute, documented, type DocumentedRoute } from "./openapi.ts";
import type { ContentDoc, PartDoc } from "./route_doc.ts";

/** An AsyncAPI document. */
export interface AsyncApiDocument {
  readonly asyncapi: "3.0.0";
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers?: Readonly<Record<string, unknown>>;
  readonly channels: Readonly<Record<string, unknown>>;
  readonly operations: Readonly<Record<string, unknown>>;
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>;
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

/** One kind of event or line. */
export interface AsyncApiMessage {
  readonly name: string;
  readonly summary: string;
  readonly contentType: string;
  /** The event's data, or the line; absent where there is no data. */
  readonly payload?: unknown;
  /** The fields of the event's block beside its data. */
  readonly headers?: unknown;
  readonly examples?: readonly unknown[];
}

interface Channel {
  readonly route: DocumentedRoute;
  /** Whether the server sends it, or takes it. */
  readonly action: "send" | "receive";
  readonly type: string;
  readonly content: ContentDoc;
}

/** What the parts of a document are put into while it is made. */
interface Draft {
  readonly channels: Record<string, unknown>;
  readonly operations: Record<string, unknown>;
  readonly messages: Record<string, AsyncApiMessage>;
  readonly schemas: Map<string, z.ZodType>;
}

/** Describes the streams of some routes as AsyncAPI 3: a channel for each route and media type whose body has parts. */
export function asyncApiDocument(
  routes: readonly DescribedRoute[],
  info: ApiInfo,
): AsyncApiDocument {
  const draft: Draft = { channels: {}, operations: {}, messages: {}, schemas: new Map() };
  for (const route of documented(routes)) {
    for (const channel of channelsOf(route)) addChannel(draft, channel);
  }
  const { title, version, description } = info;
  return {
    asyncapi: "3.0.0",
    info: { title, version, description, license: { name: "MIT" } },
    channels: draft.channels,
    operations: draft.operations,
    components: {
      messages: draft.messages,
      schemas: componentsOf(draft.schemas),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        ticket: { type: "httpApiKey", in: "query", name: "ticket" },
      },
    },
  };
}

/** The document with the server that it is of; `base` is where the paths begin. */
export function atServer(document: AsyncApiDocument, base: URL): AsyncApiDocument {
  const server = {
    host: base.host,
    protocol: base.protocol.slice(0, -1),
    pathname: base.pathname,
    security: [
      { $ref: "#/components/securitySchemes/bearer" },
      { $ref: "#/components/securitySchemes/ticket" },
    ],
  };
  return { ...document, servers: { here: server } };
}

function channelsOf(route: DocumentedRoute): Channel[] {
  const streams = (action: Channel["action"], content: Readonly<Record<string, ContentDoc>> = {}) =>
    Object.entries(content).flatMap(([type, content]) =>
      content.parts === undefined ? [] : [{ route, action, type, content }]
    );
  const answers = Object.values(route.doc.answers);
  return [
    ...streams("receive", route.doc.body?.content),
    ...answers.flatMap(({ content }) => streams("send", content)),
  ];
}

function addChannel(draft: Draft, { route, action, type, content }: Channel): void {
  const { doc, path, method } = route;
  const id = `${doc.id}${action === "receive" ? "Upload" : ""}_${nameOf(type)}`;
  const messages = Object.entries(content.parts ?? {}).map(([name, part]) => {
    const message = `${action === "receive" ? "upload_" : ""}${nameOf(type)}_${nameOf(name)}`;
    draft.messages[message] ??= messageOf({ name, part, type }, draft.schemas);
    return [nameOf(name), { $ref: `#/components/messages/${message}` }] as const;
  });
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  draft.channels[id] = {
    address: `/${path.replace(/:(\w+)/g, "{$1}")}`,
    title: `${doc.summary} (${type})`,
    ...(content.about === undefined ? {} : { description: content.about }),
    ...(names.length === 0 ? {} : {
      parameters: Object.fromEntries(
        names.map((name) => [name, { description: doc.params?.[name]?.about ?? name }]),
      ),
    }),
    messages: Object.fromEntries(messages),
  };
  draft.operations[id] = {
    action,
    channel: { $ref: `#/channels/${id}` },
    summary: doc.summary,
    ...(doc.about === undefined ? {} : { description: doc.about }),
    bindings: { http: { method, ...queryOf(route), bindingVersion: "0.3.0" } },
  };
}

function queryOf({ doc: { query } }: DocumentedRoute): { query?: unknown } {
  if (query === undefined) return {};
  const properties = Object.entries(query.shape).map(([name, { schema }]) =>
    [name, { ...schema, description: query.about[name] ?? name }] as const
  );
  return { query: { type: "object", properties: Object.fromEntries(properties) } };
}

function messageOf(
  { name, part, type }: { name: string; part: PartDoc; type: string },
  schemas: Map<string, z.ZodType>,
): AsyncApiMessage {
  const { summary, schema, fields, example } = part;
  const usual = type === "text/event-stream" ? "application/json" : type;
  return {
    name,
    summary,
    contentType: part.type ?? usual,
    ...(schema === undefined ? {} : { payload: schemaOf(schema, schemas) }),
    ...(fields === undefined ? {} : { headers: schemaOf(fields, schemas) }),
    ...(example === undefined ? {} : { examples: [{ payload: example }] }),
  };
}

/** A reference to a schema that has a name; any other as it is. */
function schemaOf(schema: z.ZodType, schemas: Map<string, z.ZodType>): unknown {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) return tidy(z.toJSONSchema(schema, { target: "draft-7", io: "input" }));
  schemas.set(id, schema);
  return { $ref: `#/components/schemas/${id}` };
}

/** The schemas, and those that they refer to. */
function componentsOf(schemas: ReadonlyMap<string, z.ZodType>): Record<string, unknown> {
  const components: Record<string, unknown> = {};
  for (const [id, schema] of schemas) {
    const { definitions, ...json } = z.toJSONSchema(schema, {
      target: "draft-7",
      io: "input",
    });
    if (json.$ref === undefined) components[id] = tidy(json);
    for (const [name, one] of Object.entries(definitions ?? {})) components[name] ??= tidy(one);
  }
  return components;
}

/** A schema of draft 7 as part of the document, with references to the document's own components. */
function tidy(schema: unknown): unknown {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"#/definitions/', '"#/components/schemas/'),
    (key, value) => key === "$schema" ? undefined : value,
  );
}

/** A media type or an event's name as part of a key. */
function nameOf(text: string): string {
  return text.replace(/^text\/event-stream$/, "sse").replace(/^application\/x-ndjson$/, "ndjson")
    .replace(/^\$/, "").replaceAll(/\W/g, "_");
}
