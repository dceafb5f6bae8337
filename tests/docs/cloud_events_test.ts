/** What the page "CloudEvents" shows, run. */
import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readPage, runSnippet, snippetsOf, watchSnippet } from "./snippets.ts";

/** What each block writes, in order; the last one never ends. */
const WRITES: readonly RegExp[] = [
  /"topic":"orders","duplicate":false/,
  /"topic":"orders","duplicate":false/,
  /"accepted":2,"rejected":0/,
  /duplicate: false/,
  /"specversion":"1.0","id":"A-1","source":"\/shop"[^]*"data":\{"order":7\}/,
  /^A-1 \/shop order.created\nA-2 \/shop order.created$/m,
];

Deno.test("what the page shows of CloudEvents works", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const shown = snippetsOf(readPage("cloud_events.md"));
  assert.equal(shown.length, WRITES.length);
  for (const [i, snippet] of shown.entries()) {
    const wanted = WRITES[i] ?? /$/;
    await t.step(`${snippet.heading} ${i + 1}, ${snippet.language}`, async () => {
      if (i < shown.length - 1) assert.match(await runSnippet(snippet, { url }), wanted);
      else await watchSnippet(snippet, { url, wanted, nudge: () => Promise.resolve() });
    });
  }
});
