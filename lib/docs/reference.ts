import type { ErrorKind } from "../errors.ts";
import type { ApiContent, ApiDocument, ApiOperation, ApiParameter } from "./api_document.ts";
import { type Html, html, type HtmlPart, inlineHtml } from "./html.ts";
import { exampleHtml, fieldsHtml, tableHtml, typeHtml } from "./schema_html.ts";

/** Options of {@link referenceHtml}. */
export interface ReferenceOptions {
  /** Every error code. */
  readonly errors: Readonly<Record<string, ErrorKind>>;
  /** Where the server is, for command lines. */
  readonly base: string;
}

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

/** The places of {@link referenceHtml}, as a list of links. */
export function referenceContents(document: ApiDocument): HtmlPart {
  const groups = groupsOf(document).map(({ name, endpoints }) => {
    const links = endpoints.map(({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}">${method} ${path}</a></li>`
    );
    return html`<li><a href="#group-${slug(name)}">${name}</a><ul>${links}</ul></li>\n`;
  });
  return html`<h2>API</h2>
<ul>
${groups}<li><a href="#errors">Errors</a></li>
<li><a href="#schemas">Schemas</a></li>
</ul>`;
}

/** An API's description for people. */
export function referenceHtml(document: ApiDocument, options: ReferenceOptions): Html {
  const { info: { title, description = "" }, components: { schemas } } = document;
  const groups = groupsOf(document).map(({ name, about, endpoints }) =>
    html`
      <section>
      <h2 id="group-${slug(name)}">${name}</h2>
      <p>${about}</p>
      ${endpoints.map((endpoint) => endpointHtml(endpoint, options))}
      </section>
    `
  );
  const named = Object.entries(schemas).map(([name, schema]) =>
    html`
      <h3 id="schema-${name}">${name}</h3>
      ${schema.description === undefined
        ? undefined
        : html`<p>${inlineHtml(schema.description)}</p>\n`}${fieldsHtml(schema) ??
        html`<p>${typeHtml(schema)}</p>`}
    `
  );
  return html`<h1>${title}: the API</h1>
${description.split("\n\n").map((text) => html`<p>${inlineHtml(text)}</p>\n`)}
${groups}
<section><h2 id="errors">Errors</h2>
<p>Every error is a <a href="#schema-Problem">problem document</a>. Programs go by its <code>code</code>.</p>
${errorsHtml(options.errors)}
</section>
<section><h2 id="schemas">Schemas</h2>
${named}
</section>`;
}

function groupsOf({ tags = [], paths }: ApiDocument) {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Endpoint => ({
      method: method.toUpperCase(),
      path,
      operation,
    }))
  );
  return tags.map(({ name, description: about = "" }) => ({
    name,
    about,
    endpoints: all.filter(({ operation }) => operation.tags.includes(name)),
  })).filter(({ endpoints }) => endpoints.length > 0);
}

function endpointHtml({ method, path, operation }: Endpoint, options: ReferenceOptions): Html {
  const { operationId: id, summary, description, parameters = [], requestBody: body } = operation;
  const paragraphs = description === summary ? [] : description.split("\n\n");
  const good = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  return html`
    <section>
        <h3 id="${id}"><span class="method ${method
          .toLowerCase()}">${method}</span> <code>${path}</code></h3>
        <p><strong>${summary}.</strong></p>
        ${paragraphs.map(paragraphHtml)}${parametersHtml(parameters, id)}
        ${body === undefined ? undefined : html`<h4>Body</h4>
${body.description === undefined ? undefined : html`<p>${inlineHtml(body.description)}</p>\n`}
${Object.entries(body.content).map(([type, content]) => contentHtml(type, content))}`}
        <h4>Example</h4>
    ${sampleHtml({ method, path, operation }, options)}
        <h4>Answers</h4>
        ${good.map(([status, { description, content = {} }]) =>
          html`<p><code>${status}</code> ${inlineHtml(description)}</p>
${Object.entries(content).map(([type, one]) => contentHtml(type, one))}`
        )}
        ${problemsHtml(operation)}
        </section>
  `;
}

function paragraphHtml(text: string): Html {
  return text.startsWith("Needs the right ")
    ? html`<p class="need">${inlineHtml(text)}</p>\n`
    : html`<p>${inlineHtml(text)}</p>\n`;
}

function parametersHtml(parameters: readonly ApiParameter[], id: string): Html | undefined {
  if (parameters.length === 0) return undefined;
  const isInstead = ({ name, in: place }: ApiParameter) =>
    place === "header" && name.startsWith("x-runnel-");
  const shown = parameters.filter((one) => !isInstead(one));
  const rows = shown.map(({ name, in: place, description = "", schema }) => [
    html`<code>${name}</code> <span class="quiet">${PLACES[place] ?? place}</span>`,
    typeHtml(schema),
    inlineHtml(description),
  ]);
  const note = shown.length === parameters.length ? undefined : html`<p class="quiet">Each of the \
query may come as a header <code>x-runnel-…</code> instead, such as <code>x-runnel-ttl-ms</code>.</p>`;
  return html`<h4>Parameters</h4>
${tableHtml(["Name", "Type", "Meaning"], rows, `Parameters of ${id}`)}
${note}`;
}

const PLACES: Readonly<Record<string, string>> = {
  path: "in the path",
  query: "in the query",
  header: "header",
};

function contentHtml(type: string, content: ApiContent): Html {
  const { schema = {}, example, "x-parts": parts } = content;
  if (parts !== undefined) {
    const rows = Object.entries(parts).map(([name, part]) => [
      html`<code>${name}</code>`,
      part.schema === undefined ? "" : typeHtml(part.schema),
      html`${inlineHtml(part.summary)}${
        part.example === undefined
          ? undefined
          : html`<br><code>${JSON.stringify(part.example)}</code>`
      }`,
    ]);
    return html`<p><code>${type}</code> ${inlineHtml(schema.description ?? "")}</p>
${tableHtml(["Part", "Type", "Meaning"], rows, `Parts of ${type}`)}`;
  }
  return html`<p><code>${type}</code>: ${
    schema.description === undefined || schema.$ref !== undefined
      ? typeHtml(schema)
      : inlineHtml(schema.description)
  }</p>
${schema.properties === undefined ? undefined : fieldsHtml(schema)}
${example === undefined ? undefined : exampleHtml(example)}`;
}

/** A command line: the one that the operation has, or one that is made of its example. */
function sampleHtml(
  { method, path, operation }: Endpoint,
  { base }: ReferenceOptions,
): Html | undefined {
  const [sample] = operation["x-codeSamples"] ?? [];
  if (sample !== undefined) {
    return exampleHtml(sample.source.replace(/ ('?)\//, (_, quote) => ` ${quote}${base}/`));
  }
  const { parameters = [], requestBody } = operation;
  const example = requestBody?.content["application/json"]?.example;
  const words = ["curl"];
  if (method !== "GET" && !(method === "POST" && example !== undefined)) words.push("-X", method);
  if (example !== undefined) {
    words.push("-H 'content-type: application/json'", "-d", `'${JSON.stringify(example)}'`);
  }
  const filled = parameters.filter((one) => one.in === "path").reduce(
    (text, one) => text.replace(`{${one.name}}`, exampleOf(one)),
    path,
  );
  return exampleHtml([...words, `${base}${filled}`].join(" "));
}

function exampleOf({ name, example = name }: ApiParameter): string {
  return encodeURIComponent(String(example));
}

/** The error codes of an operation, by status. */
function problemsHtml({ responses }: ApiOperation): Html {
  const bad = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  const rows = bad.map(([status, { content = {} }]) => {
    const [body] = Object.values(content);
    const codes = body?.schema?.properties?.code?.enum ?? [];
    const links = codes.map((code, i) =>
      html`${i === 0 ? "" : ", "}<a href="#error-${String(code)}">${String(code)}</a>`
    );
    return html`<li><code>${status}</code> ${links}</li>\n`;
  });
  return html`
    <details>
      <summary>Errors</summary>
      <ul>
    ${rows}</ul>
    </details>
  `;
}

function errorsHtml(errors: Readonly<Record<string, ErrorKind>>): Html {
  const rows = Object.entries(errors).map(([code, { status, title, retryable }]) => [
    html`<code id="error-${code}">${code}</code>`,
    String(status),
    retryable ? "yes" : "no",
    title,
  ]);
  return tableHtml(["Code", "Status", "Try again", "Meaning"], rows, "Error codes");
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll(/\W+/g, "-");
}
