import { htmlResponse, sourceOf } from "./html_response.ts";

/** The page at `/`: what runs here, and a place from which a browser may subscribe. `url` is where it was asked for. */
export function welcomePage(url: string): Response {
  const origin = URL.canParse(url) ? new URL(url).origin : "http://localhost:8000";
  return htmlResponse(PAGE.replace("ORIGIN", () => escapeHtml(origin)), {
    "style-src": sourceOf(STYLE),
    // for what is typed into its console
    "connect-src": "'self'",
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
  pre { padding: .75rem 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: .4rem }
`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runnel</title>
<style>${STYLE}</style>
<main>
<h1>Runnel</h1>
<p>Durable topics over HTTP and Server-Sent Events. This server is running.</p>
<p>In this page's console (F12), listen to a topic:</p>
<pre>new EventSource("/subscribe/topic1").onmessage = (event) =&gt; console.log(event.data)</pre>
<p>and in a terminal, publish to it:</p>
<pre>curl -d "Hello" ORIGIN/publish/topic1</pre>
<p><a href="/topics">Topics</a> · <a href="/health/ready">Health</a></p>
</main>
</html>
`;
