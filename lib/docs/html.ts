/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What may stand in {@link html}: text is escaped, and what is not there leaves nothing. */
export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

/** HTML with parts between; each part is escaped unless it is HTML itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(
    strings.map((text, i) => i === 0 ? text : textOf(parts[i - 1]) + text).join(""),
  );
}

/** Text with `code` between backquotes, as HTML. */
export function inlineHtml(text: string): Html {
  const parts = text.split("`").map((part, i) => i % 2 === 0 ? escapeHtml(part) : codeOf(part));
  return new Html(parts.join(""));
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function codeOf(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

function textOf(part: HtmlPart): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  return part.map(textOf).join("");
}
