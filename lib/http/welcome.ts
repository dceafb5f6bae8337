import { htmlResponse, sourceOf } from "./html_response.ts";

/**
 * The page at `/`: what to do first, and where to see what came of it.
 *
 * @param url where it was asked for
 * @param options.isOpen whether everybody is let in without a credential
 */
export function welcomePage(url: string, { isOpen }: { readonly isOpen: boolean }): Response {
  const origin = URL.canParse(url) ? new URL(url).origin : "http://localhost:8000";
  const page = isOpen
    ? PAGE
    : PAGE.replace(OPEN_PUBLISH, SHOWN_PUBLISH).replace(OPEN_STREAM, SHOWN_STREAM);
  return htmlResponse(page.replaceAll("ORIGIN", () => escapeHtml(origin)), {
    "style-src": sourceOf(STYLE),
    // for what is typed into its console
    "connect-src": "'self'",
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
  :root {
    color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
    background: light-dark(#f6f7f9, #0e1116); color: light-dark(#14181f, #e7eaef);
    --muted: light-dark(#565f6c, #9ea8b6); --accent: light-dark(#0b6a78, #4fc3d6);
    --border: light-dark(#dfe3e8, #2a313b);
  }
  body { max-width: 44rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 4rem) 1rem }
  header { display: flex; align-items: center; gap: .75rem }
  h1 { margin: 0; font-size: 1.75rem; line-height: 1.2 }
  svg { flex: none; width: 2.5rem; height: 2.5rem }
  rect { fill: var(--accent) }
  path { fill: none; stroke: light-dark(#fff, #06252b); stroke-width: 2.2; stroke-linecap: round }
  .lead { margin: .75rem 0 2rem; color: var(--muted) }
  ol { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; margin: 0; padding: 0; list-style: none; counter-reset: step }
  li {
    position: relative; padding: 1rem 1rem 1rem 3.5rem; border: 1px solid var(--border);
    border-radius: .5rem; background: light-dark(#fff, #161a21); counter-increment: step;
  }
  li::before {
    content: counter(step); position: absolute; top: 1rem; left: 1rem; width: 1.6rem; border-radius: 1rem;
    background: light-dark(#e2f2f4, #12303a); color: var(--accent); font-weight: 650; text-align: center;
  }
  h2 { margin: 0; font-size: 1rem }
  p { margin: .25rem 0 }
  pre {
    margin: .5rem 0; padding: .5rem .75rem; overflow-x: auto; border: 1px solid var(--border); border-radius: .3rem;
    background: light-dark(#eef1f4, #0a0d11); font-size: .85rem;
  }
  a { color: var(--accent); text-underline-offset: .15em }
  a:focus-visible, pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  .button {
    display: inline-block; margin-top: .5rem; padding: .4rem .9rem; border-radius: .3rem;
    background: var(--accent); color: light-dark(#fff, #06252b); font-weight: 600; text-decoration: none;
  }
  nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: 2rem; font-size: .9rem }
`;

const OPEN_PUBLISH = `curl -d "Hello"`;
const SHOWN_PUBLISH = `curl -H "Authorization: Bearer $$RUNNEL_TOKEN" -d "Hello"`;
const OPEN_STREAM = `new EventSource("/subscribe/topic1")`;
const SHOWN_STREAM = `new EventSource("/subscribe/topic1?ticket=&lt;from POST /token&gt;")`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runnel</title>
<style>${STYLE}</style>
<main>
<header>
<svg viewBox="0 0 24 24" aria-hidden="true"><rect width="24" height="24" rx="6"/><path d="M4 8.5c2.7-2.4 5.3-2.4 8 0s5.3 2.4 8 0M4 15.5c2.7-2.4 5.3-2.4 8 0s5.3 2.4 8 0"/></svg>
<h1>Runnel is running</h1>
</header>
<p class="lead">Durable topics over HTTP and Server-Sent Events.</p>
<ol>
<li>
<h2>Open a topic in the console</h2>
<p>It shows what arrives, as it arrives.</p>
<a class="button" href="/console#/topics/topic1" target="_blank" rel="noopener">Watch topic1</a>
</li>
<li>
<h2>Publish to it from a terminal</h2>
<pre tabindex="0">${OPEN_PUBLISH} ORIGIN/publish/topic1</pre>
<p>The console shows it at once.</p>
</li>
<li>
<h2>Subscribe from a page of your own</h2>
<p>Try it in this page's developer tools (F12), then publish again:</p>
<pre tabindex="0">stream = ${OPEN_STREAM}
stream.onmessage = (event) =&gt; console.log(event.data)</pre>
</li>
</ol>
<nav aria-label="More">
<a href="/console">Console</a>
<a href="/docs">Documentation</a>
<a href="/topics">Topics as JSON</a>
<a href="/health/ready">Health</a>
</nav>
</main>
</html>
`;
