import assert from "node:assert/strict";
import { Audience, type Filtered } from "../../lib/broker/audience.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";

const listener = (...names: string[]): Filtered => ({ filter: new TopicFilter(names) });

function told(audience: Audience<Filtered>, topic: string): Set<Filtered> {
  const all: Filtered[] = [];
  audience.forEach(topic, (one) => all.push(one));
  assert.equal(new Set(all).size, all.length, "each is told once");
  return new Set(all);
}

Deno.test("Audience tells those who named a topic and those whose pattern matches", () => {
  const audience = new Audience<Filtered>();
  const [named, other, open] = [listener("a"), listener("b"), listener("*")];
  for (const one of [named, other, open]) audience.add(one);
  assert.deepEqual(told(audience, "a"), new Set([named, open]));
  assert.deepEqual(told(audience, "c"), new Set([open]));
  assert.deepEqual(told(audience, "c.d"), new Set());
});

Deno.test("Audience tells a listener once that names a topic and matches it too", () => {
  const audience = new Audience<Filtered>();
  const both = listener("a", "*", "**");
  audience.add(both);
  assert.deepEqual(told(audience, "a"), new Set([both]));
  assert.deepEqual(told(audience, "b.c"), new Set([both]));
});

Deno.test("Audience adds patterns to topics that it has matched already", () => {
  const audience = new Audience<Filtered>();
  audience.add(listener("x.*"));
  assert.deepEqual(told(audience, "a"), new Set());
  const late = listener("*");
  audience.add(late);
  assert.deepEqual(told(audience, "a"), new Set([late]));
});

Deno.test("Audience.remove() leaves nothing behind and minds no stranger", () => {
  const audience = new Audience<Filtered>();
  const [named, open] = [listener("a", "b"), listener("a", "**")];
  audience.add(named);
  audience.add(open);
  told(audience, "a");
  audience.remove(listener("a"));
  audience.remove(open);
  assert.deepEqual(told(audience, "a"), new Set([named]));
  audience.remove(named);
  audience.remove(named);
  assert.equal(audience.has("a"), false);
  assert.equal(audience.has("z"), false);
  assert.equal(audience.all().size, 0);
});

Deno.test("Audience lets a listener remove itself and others while it tells", () => {
  const audience = new Audience<Filtered>();
  const [one, two] = [listener("a"), listener("a")];
  audience.add(one);
  audience.add(two);
  const heard: Filtered[] = [];
  audience.forEach("a", (who) => {
    heard.push(who);
    audience.remove(one);
    audience.remove(two);
  });
  assert.deepEqual(heard, [one]);
});

Deno.test("Audience.all() is everybody once", () => {
  const audience = new Audience<Filtered>();
  const all = [listener("a", "b"), listener("c", "**"), listener("*")];
  for (const one of all) audience.add(one);
  assert.deepEqual(audience.all(), new Set(all));
});

Deno.test("Audience goes on with more topics than it remembers matches of", () => {
  const audience = new Audience<Filtered>();
  const open = listener("t.*");
  audience.add(open);
  for (let i = 0; i < 10_050; i++) assert.equal(audience.has(`t.${i}`), true);
  assert.equal(audience.has("t.1"), true);
  assert.equal(audience.has("u.1"), false);
});
