import { app } from "../lib/app.ts";
import { SCRIPT, STYLE } from "../lib/console/built.ts";
import { assetResponse } from "../lib/http/asset_response.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { htmlResponse } from "../lib/http/html_response.ts";
import { pageDoc } from "../lib/http/route_doc.ts";

/**
 * `GET /console`: the web console, and under it its script and its style. The page holds no data: what it shows it asks
 * for, with the credential of whoever signs in.
 */
export function consoleRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "console",
      auth: false,
      doc: pageDoc({ id: "console", summary: "The web console" }),
      handle: () => htmlResponse(PAGE, POLICY),
    },
    {
      method: "GET",
      path: "console/app.js",
      auth: false,
      doc: "hidden",
      handle: (context) => assetResponse(SCRIPT, context),
    },
    {
      method: "GET",
      path: "console/app.css",
      auth: false,
      doc: "hidden",
      handle: (context) => assetResponse(STYLE, context),
    },
  ];
}

const POLICY = {
  "script-src": "'self'",
  "style-src": "'self'",
  "connect-src": "'self'",
  "img-src": "data:",
  "require-trusted-types-for": "'script'",
  "trusted-types": "'none'",
};

// relative, so that any prefix may stand before it
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Runnel</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console/app.css?v=${STYLE.hash}">
<script type="module" src="console/app.js?v=${SCRIPT.hash}"></script>
<div id="app"></div>
<noscript>The console needs JavaScript.</noscript>
</html>
`;

export default {
  fetch: createHandler(consoleRoutes(), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
