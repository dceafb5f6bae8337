import assert from "node:assert/strict";
import { docPage } from "../../lib/cli/build/doc_page.ts";

Deno.test("docPage() takes the title from the first heading and the language from the name", () => {
  const { title, lang, html } = docPage("redis_pubsub.zh", "# 从 `Redis` 开始\n\n文字\n");
  assert.deepEqual([title, lang], ["从 Redis 开始", "zh"]);
  assert.match(html, /<h1 id="从-redis-开始">从 <code>Redis<\/code> 开始<\/h1>/);
  assert.equal(docPage("a", "# A\n").lang, "en");
});

Deno.test("docPage() gives each heading a place of its own, which links of the page reach", () => {
  const { html } = docPage("a", "# A\n## Same\n## Same\n[there](#same-1) and [on](b.md#c)\n");
  assert.match(html, /<h2 id="same">.*<h2 id="same-1">/s);
  assert.match(html, /<a href="#same-1">there<\/a> and <a href="b#c">on<\/a>/);
});

Deno.test("docPage() names the README, which is not served, and refuses other links out of its folder", () => {
  const { html } = docPage("a", "# A\n[S](../../README.md#s), [README](../../README.md)\n");
  assert.match(html, /<p>S \(README\), README<\/p>/);
  assert.throws(() => docPage("a", "# A\n[x](../x.ts)\n"), /a link out of lib\/docs: \.\.\/x\.ts/);
});

Deno.test("docPage() lets tables and programs be moved by the keyboard", () => {
  const { html } = docPage("a", "# A\n\n| | x |\n| - | - |\n| a | 1 |\n\n```\ncode\n```\n");
  assert.match(html, /<div class="wide" role="group" aria-label="Table" tabindex="0"><table>/);
  assert.match(html, /<pre tabindex="0"><code>code/);
  assert.doesNotMatch(html, /<th><\/th>/);
});

Deno.test("docPage() refuses what would not be shown, and shows what looks like HTML", () => {
  assert.throws(() => docPage("a", "# A\n\n<b>x</b>\n"), /lib\/docs\/a\.md: it has HTML: <b>/);
  assert.throws(() => docPage("a", "# A\n\n![x](y.svg)\n"), /it has a picture: y\.svg/);
  assert.throws(() => docPage("a", "text\n"), /it has no heading/);
  assert.match(
    docPage("a", "# A\n\n`<b>` & \\<i>\n").html,
    /<code>&lt;b&gt;<\/code> &amp; &lt;i&gt;/,
  );
});
