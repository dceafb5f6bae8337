import assert from "node:assert/strict";
import fc from "fast-check";
import { placeOf, TOPIC_TABS, topicHref } from "../../lib/console/place.ts";

Deno.test("placeOf() reads what topicHref() wrote, whatever the topic is called", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(name, fc.constantFrom(...TOPIC_TABS), (topic, tab) => {
    const { hash } = new URL(topicHref(topic, tab), "http://localhost/console");
    assert.deepEqual(placeOf(hash), { kind: "topic", topic, tab });
  }));
});

Deno.test("the tab is a segment of its own, and the first one needs none", () => {
  assert.equal(topicHref("a/history", "history"), "#/topics/a%2Fhistory/history");
  assert.equal(topicHref("a"), "#/topics/a");
  assert.deepEqual(placeOf("#/topics/a"), { kind: "topic", topic: "a", tab: "live" });
  assert.deepEqual(placeOf("#/topics/a/live"), { kind: "topic", topic: "a", tab: "live" });
});

Deno.test("placeOf() is the overview where an address makes no sense", () => {
  const senseless = [
    "",
    "#",
    "#/",
    "#/topics/",
    "#/topics//history",
    "#/topics/%ff",
    "#/topics/%ff/history",
    "#/topics/a/b",
    "#/topics/a/history/b",
    "#/nothing",
    "topics",
  ];
  for (const hash of senseless) {
    assert.deepEqual(placeOf(hash), { kind: "overview" });
  }
});
