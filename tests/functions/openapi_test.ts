import assert from "node:assert/strict";
import specs from "@asyncapi/specs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { allRoutes } from "../../functions/main.ts";
import type { ApiDocument } from "../../lib/docs/api_document.ts";
import type { AsyncApiDocument } from "../../lib/http/asyncapi.ts";
import { ERRORS } from "../../lib/errors.ts";
import { JWT_ENV } from "../_support/credentials.ts";
import { openRunnel } from "../_support/open_runnel.ts";

const NOWHERE = "redis://127.0.0.1:1";

/** A document as it is served, to somebody who has no credential. */
async function documentAt<D>(path: string): Promise<D> {
  await using runnel = await openRunnel({ redisUrl: NOWHERE, env: JWT_ENV });
  const response = await fetch(`${runnel.url}/${path}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  return await response.json();
}

/** Every `$ref` in a value. */
function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "$ref" && typeof inner === "string") yield inner;
    else yield* refsIn(inner);
  }
}

function resolve(document: unknown, ref: string): unknown {
  return ref.slice("#/".length).split("/").reduce<unknown>(
    (inner, name) => (inner as Record<string, unknown> | undefined)?.[name.replaceAll("~1", "/")],
    document,
  );
}

Deno.test("GET /openapi.json is OpenAPI 3.1 as its own schema has it", async () => {
  const document = await documentAt<ApiDocument>("openapi.json");
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone({ ...document }));
  assert.ok(valid, JSON.stringify(errors, undefined, 1));
  assert.equal(validator.version, "3.1");
  for (const ref of refsIn(document)) assert.ok(resolve(document, ref), ref);
  const wrong = { ...document, paths: { "/a": { get: { responses: 4 } } } };
  assert.equal((await new Validator().validate(wrong)).valid, false);
});

Deno.test("GET /asyncapi.json is AsyncAPI 3 as its own schema has it", async () => {
  const document = await documentAt<AsyncApiDocument>("asyncapi.json");
  // its schemas carry the very meta-schemas that Ajv would bring
  const ajv = new Ajv({
    meta: false,
    validateSchema: false,
    strict: false,
    validateFormats: false,
  });
  const schema: Record<string, unknown> = { ...specs.schemas["3.0.0"] };
  const validate = ajv.compile(schema);
  assert.ok(validate(document), JSON.stringify(validate.errors, undefined, 1));
  for (const ref of refsIn(document)) assert.ok(resolve(document, ref), ref);
  assert.equal(validate({ ...document, channels: { a: { address: 4 } } }), false);
});

Deno.test("GET /openapi.json has every route that there is, and no other", async () => {
  const { paths } = await documentAt<ApiDocument>("openapi.json");
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  );
  const routes = allRoutes(() => Promise.reject(new Error("not called")));
  for (const { method, path, doc } of routes) {
    assert.ok(doc !== undefined, `${method} ${path} has a doc, or is "hidden"`);
  }
  const shown = routes.filter(({ doc }) => doc !== "hidden").map(({ method, path }) =>
    `${method} /${path.replaceAll(/:(\w+)/g, "{$1}")}`
  );
  assert.deepEqual(described.sort(), shown.sort());
});

Deno.test("GET /openapi.json names each operation, each parameter and each path segment once", async () => {
  const { paths } = await documentAt<ApiDocument>("openapi.json");
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, ...operation }))
  );
  const ids = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { path, operationId, parameters = [], summary, tags } of operations) {
    assert.ok(summary.length > 0 && tags.length === 1, operationId);
    const names = parameters.map((one) => `${one.in} ${one.name}`);
    assert.equal(new Set(names).size, names.length, operationId);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${name}`);
    assert.deepEqual(names.filter((name) => name.startsWith("path ")), inPath, operationId);
    for (const { description = "" } of parameters) assert.ok(description, operationId);
  }
});

Deno.test("GET /openapi.json leaves no error code undescribed but those that nobody can read", async () => {
  const { paths } = await documentAt<ApiDocument>("openapi.json");
  const described = new Set(
    Object.values(paths).flatMap((methods) => Object.values(methods)).flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ content = {} }) =>
        Object.values(content).flatMap(({ schema }) => schema?.properties?.code?.enum ?? [])
      )
    ),
  );
  const missing = Object.keys(ERRORS).filter((code) => !described.has(code));
  // of a method that there is not, which no operation can have; of a message among others; of a client that has gone
  assert.deepEqual(missing, ["method_not_allowed", "batch_aborted", "client_closed"]);
});

Deno.test("GET /asyncapi.json says where it is, behind whatever prefix", async () => {
  await using runnel = await openRunnel({ redisUrl: NOWHERE });
  const at = async (url: string) => {
    const { servers } = await (await runnel.fetch(new Request(url))).json();
    return servers.here;
  };
  const plain = await at(`${runnel.url}/asyncapi.json`);
  assert.deepEqual([plain.protocol, plain.pathname], ["http", "/"]);
  const behind = await at("https://a.example/functions/v1/asyncapi.json");
  assert.deepEqual(
    [behind.protocol, behind.host, behind.pathname],
    ["https", "a.example", "/functions/v1/"],
  );
});
