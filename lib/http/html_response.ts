import { createHash } from "node:crypto";

/**
 * Answers with a page. Nothing is allowed in it but what `policy` names: directives of a Content-Security-Policy such
 * as `style-src`, beside those that every page has. No page is framed, opened by another, or told of as a referrer.
 */
export function htmlResponse(
  html: string,
  policy: Readonly<Record<string, string>> = {},
): Response {
  return new Response(html, {
    headers: {
      ...HEADERS,
      "content-security-policy": Object.entries({ ...policy, ...STRICT })
        .map(([name, sources]) => `${name} ${sources}`).join("; "),
    },
  });
}

/** What stands for the exact text of an inline style or script in a policy. */
export function sourceOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const STRICT = {
  "default-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
};

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};
