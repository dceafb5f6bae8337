import { Marked, type Tokens } from "marked";
import { CliError } from "../cli_error.ts";

/** A page of the documentation, ready to be served. */
export interface DocPage {
  /** Its first heading. */
  readonly title: string;
  /** The language of its text. */
  readonly lang: string;
  readonly html: string;
}

/**
 * Makes a page of Markdown.
 *
 * @param name the file's name without `.md`; what follows a dot in it is the language
 * @throws {CliError} It has no heading, or it has HTML, a picture, or a link to a file that is not served.
 */
export function docPage(name: string, markdown: string): DocPage {
  const refuse = (what: string): never => {
    throw new CliError(`Cannot make a page of lib/docs/${name}.md: ${what}`);
  };
  let title: string | undefined;
  const slugs = new Map<string, number>();
  const marked = new Marked<string, string>({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        title ??= plain(text);
        return `<h${depth} id="${unique(slugOf(text), slugs)}">${
          this.parser.parseInline(tokens)
        }</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        // a server has the pages and no README
        if (README.test(href)) return /README/.test(inner) ? inner : `${inner} (README)`;
        if (href.startsWith(".")) refuse(`it has a link out of lib/docs: ${href}`);
        return `<a href="${escape(linkOf(href))}">${inner}</a>`;
      },
      html: ({ text }: Tokens.HTML | Tokens.Tag) => refuse(`it has HTML: ${text.trim()}`),
      image: ({ href }) => refuse(`it has a picture: ${href}`),
    },
    hooks: {
      postprocess: (html) =>
        html
          .replaceAll(
            "<table>",
            '<div class="wide" role="group" aria-label="Table" tabindex="0"><table>',
          )
          .replaceAll("</table>", "</table></div>")
          // no heading is better than an empty one
          .replaceAll(/<th( align="\w+")?><\/th>/g, "<td></td>")
          .replaceAll("<pre>", '<pre tabindex="0">'),
    },
  });
  const html = marked.parse(markdown, { async: false });
  const [, lang = "en"] = name.split(".");
  return {
    title: title ?? refuse("it has no heading"),
    lang,
    html: `<div class="prose">\n${html}</div>`,
  };
}

const README = /^\.\.\/\.\.\/README\.md(#|$)/;

/** Where a link leads: another page beside this one, or elsewhere. */
function linkOf(href: string): string {
  return href.replace(/^([\w.]+)\.md(#.*)?$/, "$1$2");
}

function plain(markdown: string): string {
  return markdown.replaceAll(/[`*_]/g, "");
}

/** As the places where Markdown is read mostly name a heading. */
function slugOf(text: string): string {
  return plain(text).toLowerCase().replaceAll(/[^\p{L}\p{N}\s-]/gu, "").trim().replaceAll(
    /\s/g,
    "-",
  );
}

function unique(slug: string, known: Map<string, number>): string {
  const times = known.get(slug) ?? 0;
  known.set(slug, times + 1);
  return times === 0 ? slug : `${slug}-${times}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
