import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiMediaTypeObject,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathItemObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";
import { type ErrorCode, ERRORS } from "../errors.ts";
import type { Route } from "./handler.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { problemSchema } from "./problem_schema.ts";
import { QUOTA_HEADERS } from "./publish_quota.ts";
import { headerName, type ParameterSchema } from "./query.ts";
import type { AnswerDoc, ContentDoc, PartDoc, RouteDoc } from "./route_doc.ts";
import { problemsOf } from "./route_problems.ts";

/** What an API's description says of the API as a whole. */
export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  /** Markdown. */
  readonly description: string;
  /** What each group of routes is for, in the order in which they are listed. */
  readonly groups: Readonly<Record<string, string>>;
}

/** An OpenAPI document. */
export type OpenApiDocument = ReturnType<typeof createDocument>;

/** What is looked at of a route. */
export type DescribedRoute = Omit<Route, "handle">;

/** A route that is described. */
export interface DocumentedRoute extends DescribedRoute {
  readonly doc: RouteDoc;
}

/** Those of some routes that are described. */
export function documented(routes: readonly DescribedRoute[]): DocumentedRoute[] {
  return routes.flatMap(({ doc, ...route }) =>
    doc === undefined || doc === "hidden" ? [] : [{ ...route, doc }]
  );
}

/** A route's path as a description writes it: `/topics/{topic}`. */
export function templateOf(path: string): string {
  return `/${path.replace(/:(\w+)/g, "{$1}")}`;
}

/** Describes routes as OpenAPI 3.1. The server is where the document is, so that any prefix may stand before the paths. */
export function openApiDocument(routes: readonly DescribedRoute[], info: ApiInfo): OpenApiDocument {
  const parts = new Map<string, z.ZodType>();
  const paths: Record<string, ZodOpenApiPathItemObject> = {};
  for (const route of documented(routes)) {
    const path = paths[templateOf(route.path)] ??= {};
    // the methods of routes are those that a description knows
    path[route.method.toLowerCase() as "get"] = operationOf(route, parts);
  }
  const { title, version, description, groups } = info;
  const document: ZodOpenApiObject = {
    openapi: "3.1.1",
    info: { title, version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: ".", description: "Where this document is" }],
    security: [{ bearer: [] }, { ticket: [] }, { cookie: [] }],
    tags: Object.entries(groups).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY,
      headers: { "x-request-id": REQUEST_ID },
      responses: { MethodNotAllowed: NOT_ALLOWED, NotFound: problemAnswer(["not_found"]) },
      schemas: { Problem: problemSchema, ...Object.fromEntries(parts) },
    },
  };
  return createDocument(document, {
    // an answer may get a field more at any time; what a request must not have is said by its own schema
    override: ({ jsonSchema, zodSchema, io }) => {
      const { def } = zodSchema._zod;
      if (io === "output" && def.type === "object" && !("catchall" in def && def.catchall)) {
        delete jsonSchema.additionalProperties;
      }
    },
  });
}

const SECURITY = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "An API key or a JWT. Where `RUNNEL_AUTH` is `open` nothing is needed.",
  },
  ticket: {
    type: "apiKey",
    in: "query",
    name: "ticket",
    description: "A ticket of `POST /token`, used once: for `EventSource`, which sends no header.",
  },
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: "runnel",
    description: "A JWT, or what a ticket became, for pages of an allowed origin.",
  },
} as const;

const REQUEST_ID = {
  description: "Names the request in the log; a caller's own valid one is kept.",
  schema: { type: "string" },
} as const;

const PROBLEM_HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { "www-authenticate": "How to show a credential (RFC 6750)." },
  429: {
    "retry-after": "Seconds, where it is known when there is room again.",
    ...QUOTA_HEADERS,
  },
  503: { "retry-after": "Seconds, where the same request can succeed later." },
};

const NOT_ALLOWED: ZodOpenApiResponseObject = {
  ...problemAnswer(["method_not_allowed"]),
  headers: {
    ...commonHeaders(),
    allow: { description: "The methods that there are.", schema: { type: "string" } },
  },
};

function commonHeaders() {
  return { "x-request-id": { $ref: "#/components/headers/x-request-id" } };
}

function operationOf(
  route: DocumentedRoute,
  parts: Map<string, z.ZodType>,
): ZodOpenApiOperationObject {
  const { doc } = route;
  const content = (contents: Readonly<Record<string, ContentDoc>>) =>
    Object.fromEntries(
      Object.entries(contents).map(([type, one]) => [type, mediaOf(type, one, parts)]),
    );
  const answer = ({ about, content: contents, headers = {} }: AnswerDoc) => ({
    description: about,
    headers: { ...commonHeaders(), ...textHeaders(headers) },
    ...(contents === undefined ? {} : { content: content(contents) }),
  });
  const about = [
    doc.about,
    doc.right === undefined ? undefined : `Needs the right to ${doc.right}.`,
  ];
  return {
    operationId: doc.id,
    tags: [doc.group],
    summary: doc.summary,
    description: about.filter((one) => one !== undefined).join("\n\n") || doc.summary,
    parameters: parametersOf(route),
    ...(doc.body === undefined ? {} : {
      requestBody: {
        ...(doc.body.about === undefined ? {} : { description: doc.body.about }),
        required: doc.body.required ?? true,
        content: content(doc.body.content),
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(doc.answers).map(([status, one]) => [status, answer(one)]),
      ),
      ...Object.fromEntries(
        [...problemsOf(route, doc)].map(([status, codes]) => [status, problemAnswer(codes)]),
      ),
    },
    ...(route.auth === false ? { security: [] } : {}),
    ...(doc.curl === undefined ? {} : { "x-codeSamples": [{ lang: "Shell", source: doc.curl }] }),
  };
}

function parametersOf({ path, doc }: DocumentedRoute): NonNullable<
  ZodOpenApiOperationObject["parameters"]
> {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  const inPath = names.map((name) => {
    const { about = "", schemaId, example } = doc.params?.[name] ?? {};
    return {
      ...{ in: "path", name, required: true, description: about } as const,
      schema: schemaId === undefined
        ? { type: "string" as const }
        : { $ref: `#/components/schemas/${schemaId}` },
      ...(example === undefined ? {} : { example }),
    };
  });
  const { shape = {}, about = {}, examples = {}, asHeaders = false } = doc.query ?? {};
  const inQuery = Object.entries(shape).map(([name, { schema }]) => ({
    ...{ in: "query", name, description: about[name] ?? "" } as const,
    schema: mutable(schema),
    ...(examples[name] === undefined ? {} : { example: examples[name] }),
  }));
  const inHeaders = Object.entries(doc.headers ?? {}).map(([name, { about, example }]) => ({
    ...{ in: "header", name, description: about } as const,
    schema: { type: "string" as const },
    ...(example === undefined ? {} : { example }),
  }));
  const instead = asHeaders
    ? Object.entries(shape).map(([name, { schema }]) => ({
      ...{ in: "header", name: headerName(name) } as const,
      description: `The same as the parameter \`${name}\`.`,
      schema: mutable(schema),
    }))
    : [];
  return [...inPath, ...inQuery, ...inHeaders, ...instead];
}

/** A {@link ParameterSchema} with arrays that its reader may change. */
interface PlainSchema extends Omit<ParameterSchema, "enum" | "items"> {
  enum?: string[];
  items?: PlainSchema;
}

function mutable({ enum: values, items, ...rest }: ParameterSchema): PlainSchema {
  return {
    ...rest,
    ...(values === undefined ? {} : { enum: [...values] }),
    ...(items === undefined ? {} : { items: mutable(items) }),
  };
}

/** Media types whose bodies are text, and no JSON. */
const TEXT = /^text\/|^application\/typescript$/;

function mediaOf(
  type: string,
  { schema, about, example, parts }: ContentDoc,
  components: Map<string, z.ZodType>,
): ZodOpenApiMediaTypeObject {
  const isText = TEXT.test(type) || parts !== undefined;
  const text = {
    type: "string" as const,
    ...(isText ? {} : { format: "binary" }),
    ...(about === undefined ? {} : { description: about }),
  };
  return {
    schema: schema ?? text,
    ...(example === undefined ? {} : { example }),
    ...(parts === undefined ? {} : {
      "x-parts": Object.fromEntries(
        Object.entries(parts).map(([name, part]) => [name, partOf(part, components)]),
      ),
    }),
  };
}

function partOf(
  { summary, schema, fields, example }: PartDoc,
  components: Map<string, z.ZodType>,
): Record<string, unknown> {
  return {
    summary,
    ...(schema === undefined ? {} : { schema: schemaOf(schema, components) }),
    ...(fields === undefined ? {} : { fields: schemaOf(fields, components) }),
    ...(example === undefined ? {} : { example }),
  };
}

/** A reference to a schema that has a name, which is then among the components; any other as it is. */
function schemaOf(schema: z.ZodType, components: Map<string, z.ZodType>): unknown {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) {
    const { $schema: _, additionalProperties: _open, ...json } = z.toJSONSchema(schema);
    return json;
  }
  components.set(id, schema);
  return { $ref: `#/components/schemas/${id}` };
}

function textHeaders(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map((
      [name, description],
    ) => [name, { description, schema: { type: "string" as const } }]),
  );
}

/** What some error codes of one status are answered with. */
function problemAnswer(codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  const list = codes.map((code) => `- \`${code}\`: ${ERRORS[code].title}`).join("\n");
  const [first] = codes;
  const status = first === undefined ? 500 : ERRORS[first].status;
  return {
    description: list,
    headers: { ...commonHeaders(), ...textHeaders(PROBLEM_HEADERS[status] ?? {}) },
    content: {
      [PROBLEM_TYPE]: {
        schema: {
          $ref: "#/components/schemas/Problem",
          properties: { code: { enum: [...codes] }, status: { const: status } },
        },
      },
    },
  };
}
