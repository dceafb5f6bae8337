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
