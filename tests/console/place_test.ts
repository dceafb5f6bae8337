import assert from "node:assert/strict";
import fc from "fast-check";
import { placeOf, topicHref } from "../../lib/console/place.ts";

Deno.test("placeOf() reads what topicHref() wrote, whatever the topic is called", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(fc.property(name, (topic) => {
    const { hash } = new URL(topicHref(topic), "http://localhost/console");
    assert.deepEqual(placeOf(hash), { kind: "topic", topic });
  }));
});

Deno.test("placeOf() is the overview where an address makes no sense", () => {
  for (const hash of ["", "#", "#/", "#/topics/", "#/topics/%ff", "#/nothing", "topics"]) {
    assert.deepEqual(placeOf(hash), { kind: "overview" });
  }
});
