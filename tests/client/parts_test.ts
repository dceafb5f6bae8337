import assert from "node:assert/strict";
import fc from "fast-check";
import { EventParser } from "../../lib/client/event_parser.ts";
import { Position } from "../../lib/client/position.ts";
import { topicMatch } from "../../lib/client/topic_match.ts";
import { sseEvent } from "../../lib/codec/sse.ts";
import { TopicPattern } from "../../lib/codec/topic_pattern.ts";

const GENERATION = 65_536;

Deno.test("Position knows what lies behind it, in one partition", () => {
  const position = new Position(`5-${GENERATION}`);
  const at = new Position(`6-${GENERATION}`);
  assert.equal(position.isBefore(`6-${GENERATION}`, at), true);
  assert.equal(position.isBefore(`5-${GENERATION}`, new Position(`5-${GENERATION}`)), false);
  // a later generation, though of an earlier time: what lay between was lost in a failover
  assert.equal(position.isBefore(`4-${2 * GENERATION}`, at), true);
  position.advance(at, `6-${GENERATION}`);
  assert.equal(position.text, `6-${GENERATION}`);
});

Deno.test("Position goes with a stream that spans more partitions", () => {
  const position = new Position("2.5-0~7.9-0~16");
  const at = new Position("1.99-0~2.6-0~7.8-0~16");
  assert.equal(position.isBefore("6-0", at), true);
  assert.equal(position.isBefore("99-0", at), false);
  assert.equal(position.isBefore("8-0", at), false);
  position.advance(at, "6-0");
  assert.equal(position.text, "2.6-0~7.9-0~16");
  const single = new Position("5-0");
  assert.equal(single.isBefore("6-0", at), true);
  single.advance(at);
  assert.equal(single.text, "5-0");
  single.advance(at, "6-0");
  assert.equal(single.text, "6-0");
});

Deno.test("Position cannot say where the partitions are others", () => {
  assert.equal(new Position("1.5-0~2.5-0~2").isBefore("6-0", new Position("1.6-0~4")), undefined);
});

const name = fc.stringMatching(/^[ab./:$]{1,8}$/);
const pattern = fc.array(fc.constantFrom("a", "b", ".", "/", "*", "**", "$", "("), {
  ...{ minLength: 1, maxLength: 8 },
}).map((parts) => parts.join(""));

Deno.test("topicMatch() takes what the server's patterns take", () => {
  fc.assert(fc.property(pattern, name, (pattern, topic) => {
    const server = pattern.includes("*")
      ? new TopicPattern(pattern).matches(topic)
      : pattern === topic;
    assert.equal(topicMatch([pattern])(topic), server);
  }));
});

Deno.test("EventParser reads what the server writes, however it is cut", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 })
    .map((text) => text.replace(/[\r\n\0]/g, ""));
  const block = fc.record({ event: text, data: text, id: text });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), fc.nat(), (blocks, seed) => {
      const bytes = new TextEncoder().encode(blocks.map((block) => sseEvent(block)).join(""));
      const parser = new EventParser();
      const read = [];
      const size = 1 + seed % 7;
      for (let at = 0; at < bytes.length; at += size) {
        read.push(...parser.push(bytes.subarray(at, at + size)));
      }
      assert.deepEqual(read, blocks.map((block) => ({ ...block })));
    }),
  );
});

Deno.test("EventParser knows all three ends of a line", () => {
  const parser = new EventParser();
  const read = [];
  for (const character of "data: a\r\ndata:b\rretry: 5\n: c\n\nid: 1\r\r\ndata: x") {
    read.push(...parser.push(new TextEncoder().encode(character)));
  }
  assert.deepEqual(read[0], { data: "a\nb", retry: 5 });
  assert.deepEqual(read[1], { id: "1" });
});
