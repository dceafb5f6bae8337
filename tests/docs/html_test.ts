import assert from "node:assert/strict";
import { Html, html, inlineHtml } from "../../lib/docs/html.ts";

Deno.test("html`` escapes text, keeps HTML and leaves out what is not there", () => {
  const evil = `<script>"'&`;
  assert.equal(html`<p title="${evil}">${undefined}${1}</p>`.text.includes("<script"), false);
  assert.equal(html`${[html`<b>${"a<"}</b>`, "b<"]}`.text, "<b>a&#60;</b>b&#60;");
  assert.equal(html`${new Html("<i>")}`.text, "<i>");
});

Deno.test("inlineHtml() makes code of what stands between backquotes", () => {
  assert.equal(inlineHtml("a `<b>` & c").text, "a <code>&#60;b&#62;</code> &#38; c");
});
