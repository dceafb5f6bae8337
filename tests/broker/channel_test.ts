import assert from "node:assert/strict";
import { Channel } from "../../lib/broker/channel.ts";
import { idOf } from "../_support/ids.ts";

const frame = (previous: number, last: number) => ({ previous: idOf(previous), last: idOf(last) });

Deno.test("Channel is live from the moment its tail is known", () => {
  const channel = new Channel("c");
  assert.equal(channel.live, false);
  channel.start(idOf(5));
  assert.deepEqual([channel.live, channel.since, channel.last], [true, idOf(5), idOf(5)]);
});

Deno.test("Channel.follow() accepts each frame that names the one before", () => {
  const channel = new Channel("c");
  channel.start(idOf(5));
  assert.equal(channel.follow(frame(5, 6)), true);
  assert.equal(channel.follow(frame(6, 9)), true);
  assert.deepEqual(channel.last, idOf(9));
});

Deno.test("Channel.follow() tells a missing frame, also right after the tail", () => {
  const channel = new Channel("c");
  channel.start(idOf(5));
  assert.equal(channel.follow(frame(6, 7)), false);
  const later = new Channel("c");
  later.start(idOf(5));
  later.follow(frame(5, 6));
  assert.equal(later.follow(frame(7, 8)), false);
});

Deno.test("Channel.follow() takes no offence at a frame that came before", () => {
  const channel = new Channel("c");
  channel.start(idOf(5));
  assert.equal(channel.follow(frame(3, 4)), true);
  assert.equal(channel.follow(frame(4, 5)), true);
  assert.deepEqual(channel.last, idOf(5));
});

Deno.test("Channel checks frames that come between the confirmation and the tail", async (t) => {
  await t.step("those after the tail go on its chain", () => {
    const channel = new Channel("c");
    channel.follow(frame(5, 6));
    channel.start(idOf(5));
    assert.equal(channel.follow(frame(6, 7)), true);
  });
  await t.step("those before the tail leave the chain to it", () => {
    const channel = new Channel("c");
    channel.follow(frame(3, 4));
    channel.start(idOf(6));
    assert.deepEqual(channel.last, idOf(6));
    assert.equal(channel.follow(frame(6, 7)), true);
  });
  await t.step("one missing between the tail and the next is found", () => {
    const channel = new Channel("c");
    channel.follow(frame(3, 4));
    channel.start(idOf(6));
    assert.equal(channel.follow(frame(7, 8)), false);
  });
  await t.step(
    "one missing before those after the tail is found: it is live from the next tail on",
    () => {
      const channel = new Channel("c");
      channel.follow(frame(6, 7));
      channel.start(idOf(5));
      assert.equal(channel.live, false);
      channel.start(idOf(7));
      assert.deepEqual([channel.live, channel.since], [true, idOf(7)]);
      assert.equal(channel.follow(frame(7, 8)), true);
    },
  );
  await t.step("one missing among them is found", () => {
    const channel = new Channel("c");
    channel.follow(frame(3, 4));
    assert.equal(channel.follow(frame(5, 6)), false);
  });
});

Deno.test("Channel.reset() forgets the chain, and the subscription only with its link", () => {
  const channel = new Channel("c");
  channel.subscribed = true;
  channel.start(idOf(5));
  channel.reset({ link: false });
  assert.deepEqual([channel.live, channel.subscribed], [false, true]);
  assert.equal(channel.follow(frame(50, 51)), true);
  channel.reset({ link: true });
  assert.equal(channel.subscribed, false);
});
