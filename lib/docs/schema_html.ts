import type { ApiSchema } from "./api_document.ts";
import { type Html, html, inlineHtml } from "./html.ts";

const REF = "#/components/schemas/";

/** What a value is, in few words, with links to the schemas that have a name. */
export function typeHtml(schema: ApiSchema): Html {
  const { $ref, anyOf, items, enum: values, type, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice(REF.length);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (anyOf !== undefined) return joined(anyOf.map(typeHtml), " or ");
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (values !== undefined) {
    return joined(values.map((value) => html`<code>${String(value)}</code>`), " ");
  }
  const types = type === undefined ? [] : [type].flat();
  if (types.includes("array")) return html`list of ${typeHtml(items ?? {})}`;
  if (types.includes("object") && typeof additionalProperties === "object") {
    return html`object of ${typeHtml(additionalProperties)}`;
  }
  const words = types.map((one) => one === "integer" ? "whole number" : one).join(" or ");
  return html`${words === "" ? "anything" : words}${formatOf(schema)}`;
}

/** The fields of an object, those of objects in it among them; undefined where it has none. */
export function fieldsHtml(schema: ApiSchema): Html | undefined {
  const rows = [...rowsOf(schema, "")];
  if (rows.length === 0) return undefined;
  return tableHtml(["Field", "Type", "Meaning"], rows, "Fields");
}

/** A table that can be moved sideways where it is wider than the page. */
export function tableHtml(
  heads: readonly string[],
  rows: readonly (readonly (Html | string)[])[],
  label: string,
): Html {
  const head = heads.map((text) => html`<th scope="col">${text}</th>`);
  const body = rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`);
  return html`
    <div class="wide" role="group" aria-label="${label}" tabindex="0">
      <table>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>
    ${body}</tbody>
      </table>
    </div>
  `;
}

/** An example as it is sent. */
export function exampleHtml(example: unknown): Html {
  const text = typeof example === "string" ? example : JSON.stringify(example, undefined, 2);
  return html`<pre tabindex="0"><code>${text}</code></pre>`;
}

function* rowsOf(schema: ApiSchema, before: string): Generator<Html[]> {
  const { properties = {}, required = [], items } = schema;
  if (items?.properties !== undefined) yield* rowsOf(items, `${before.replace(/\.$/, "")}[].`);
  for (const [name, field] of Object.entries(properties)) {
    const need = required.includes(name)
      ? html`
        <span class="quiet">needed</span>
      `
      : "";
    yield [
      html`<code>${before}${name}</code>${need}`,
      typeHtml(field),
      html`${inlineHtml(field.description ?? "")}${limitsOf(field)}`,
    ];
    yield* rowsOf(field, `${before}${name}.`);
  }
}

function limitsOf({ minimum, maximum, maxLength, default: value }: ApiSchema): Html {
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const words = [
    most === undefined
      ? least === undefined || least === 0 ? undefined : `At least ${least}.`
      : `${least ?? 0} to ${most}.`,
    maxLength === undefined ? undefined : `At most ${maxLength} characters.`,
    value === undefined ? undefined : `${JSON.stringify(value)} if not given.`,
  ].filter((one) => one !== undefined);
  return words.length === 0 ? html`` : html`
    <span class="quiet">${words.join(" ")}</span>
  `;
}

function formatOf({ format }: ApiSchema): string {
  if (format === "date-time") return ", an ISO time";
  if (format === "base64") return ", base64";
  if (format === "binary") return ", bytes";
  return "";
}

function joined(parts: readonly Html[], between: string): Html {
  return html`${parts.map((part, i) => i === 0 ? part : html`${between}${part}`)}`;
}
