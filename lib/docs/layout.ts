import { Html, html, type HtmlPart } from "./html.ts";
import { STYLE } from "./style.ts";

/** A page of the documentation. */
export interface PageParts {
  readonly title: string;
  /** The page's language. @default "en" */
  readonly lang?: string;
  /** What leads back to where the paths begin: `../` for each folder. */
  readonly up: string;
  /** Other pages, by their names. */
  readonly pages: Readonly<Record<string, { readonly title: string; readonly lang: string }>>;
  /** Places on this page. */
  readonly contents?: HtmlPart;
  readonly body: Html;
}

/** The whole page. Its links are relative, so that any prefix may stand before them. */
export function pageHtml({ title, lang = "en", up, pages, contents, body }: PageParts): string {
  const others = Object.entries(pages).map(([name, page]) =>
    html`<li><a href="${up}docs/${name}" lang="${page.lang}">${page.title}</a></li>`
  );
  // exactly this text is allowed by the page's policy
  const sheet = new Html(`<style>${STYLE}</style>`);
  return html`
    <!doctype html>
    <html lang="${lang}">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>${title} · Runnel</title>
      <link rel="icon" href="data:,">
      ${sheet}
    <body>
      <a class="skip" href="#content">To the content</a>
      <div class="frame">
        <header class="side">
          <nav aria-label="Documentation">
    <a class="brand" href="${up}docs">Runnel</a>
    ${contents}
    <h2>Pages</h2>
    <ul>
    <li><a href="${up}docs">API reference</a></li>
    ${others}
    <li><a href="${up}console">Console</a></li>
    <li><a href="${up}openapi.json">openapi.json</a></li>
    <li><a href="${up}asyncapi.json">asyncapi.json</a></li>
    </ul>
          </nav>
        </header>
        <main id="content" tabindex="-1">
    ${body}
        </main>
      </div>
    </body>
    </html>
  `.text;
}
