import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compareTopics,
  placePage,
  type TopicPage,
  type TopicRow,
} from "../../lib/console/topics/topic_rows.ts";

const utf8 = new TextEncoder();

/** As the server compares. */
function compareBytes(a: string, b: string): number {
  const [x, y] = [utf8.encode(a), utf8.encode(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
  }
  return x.length - y.length;
}

/** A page as the server makes it. */
function pageOf(
  topics: Iterable<string>,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): TopicPage {
  const rest = [...topics].sort(compareBytes)
    .filter((topic) => after === undefined || compareBytes(topic, after) > 0);
  const page = rest.slice(0, limit);
  return {
    topics: page.map((topic) => ({ topic, count: 1, lastId: null })),
    ...(rest.length > limit ? { next: page.at(-1) ?? "" } : {}),
  };
}

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 });
const names = (rows: readonly TopicRow[]) => rows.map(({ topic }) => topic);

Deno.test("compareTopics() orders as the server does, beyond the first plane of Unicode too", () => {
  fc.assert(fc.property(name, name, (a, b) => {
    assert.equal(Math.sign(compareTopics(a, b)), Math.sign(compareBytes(a, b)));
  }));
  assert.ok(compareTopics("\uffee", "\u{1f30a}") < 0 && "\uffee" > "\u{1f30a}");
});

Deno.test("placePage() leads to what the server has, page by page, whatever came and went since", () => {
  const topics = fc.uniqueArray(name, { maxLength: 20 });
  fc.assert(fc.property(topics, topics, fc.integer({ min: 1, max: 7 }), (before, now, limit) => {
    let rows = placePage([], pageOf(before, { limit: 100 }), { at: 0 });
    assert.deepEqual(names(rows), [...before].sort(compareBytes));
    let after: string | undefined;
    for (;;) {
      const page = pageOf(now, { after, limit });
      rows = placePage(rows, page, { after, at: 1 });
      assert.deepEqual(names(rows), [...names(rows)].sort(compareBytes));
      assert.equal(new Set(names(rows)).size, rows.length);
      if (page.next === undefined) break;
      after = page.next;
    }
    assert.deepEqual(names(rows), [...now].sort(compareBytes));
  }));
});

Deno.test("placePage() changes nothing outside of the page", () => {
  const rows = placePage([], pageOf("abcdefgh", { limit: 100 }), { at: 0 });
  const page = pageOf("acdxyz", { after: "b", limit: 2 });
  const placed = placePage(rows, page, { after: "b", at: 1 });
  assert.deepEqual(names(placed), [..."abcdefgh"]);
  assert.deepEqual(placed[0], rows[0]);
  assert.equal(placed[2]?.samples.length, 2);
  assert.deepEqual(
    names(placePage(rows, pageOf("acf", { after: "b", limit: 2 }), {
      ...{ after: "b", at: 1 },
    })),
    [..."abcf"],
  );
});

Deno.test("placePage() keeps the topics of a Redis that is out of reach", () => {
  const rows = placePage([], pageOf("abcd", { limit: 100 }), { at: 0 });
  const page = { ...pageOf("bx", { limit: 100 }), missing: true } as const;
  assert.deepEqual(names(placePage(rows, page, { at: 1 })), [..."abcdx"]);
});
