import assert from "node:assert/strict";
import { ChannelTable } from "../../lib/broker/channel_table.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { Keys } from "../../lib/redis/keys.ts";

Deno.test("ChannelTable.prune() forgets what was never subscribed, as beside a pattern or while Redis is away", () => {
  const table = new ChannelTable(new Keys({ prefix: "rn", partition: 0, db: 0 }));
  const [wanted, left] = [new TopicFilter(["wanted"]), new TopicFilter(["left"])];
  for (const filter of [wanted, left]) table.want(filter);
  table.unwant(left);
  table.prune();
  assert.ok(table.named("wanted"));
  assert.equal(table.named("left"), undefined);
});

Deno.test("ChannelTable.prune() keeps what is wanted again, and what is still subscribed", () => {
  const table = new ChannelTable(new Keys({ prefix: "rn", partition: 0, db: 0 }));
  const [again, subscribed] = [new TopicFilter(["again"]), new TopicFilter(["subscribed"])];
  for (const filter of [again, subscribed]) table.want(filter);
  for (const channel of table.missing(2)) channel.subscribed = channel.topic === "subscribed";
  for (const filter of [again, subscribed]) table.unwant(filter);
  table.want(again);
  table.prune();
  assert.ok(table.named("again"));
  assert.ok(table.named("subscribed"));
});

Deno.test("ChannelTable.missing() gives the partition's channel first, and no more than asked for", () => {
  const table = new ChannelTable(new Keys({ prefix: "rn", partition: 0, db: 0 }));
  for (const names of [["a"], ["b"], ["**"]]) table.want(new TopicFilter(names));
  assert.deepEqual(table.missing(2).map(({ topic }) => topic), [undefined, "a"]);
  assert.deepEqual(table.servedByEverything(5).map(({ topic }) => topic), ["a", "b"]);
});
