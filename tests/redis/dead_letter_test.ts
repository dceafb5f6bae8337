import assert from "node:assert/strict";
import type { PullResult } from "../../lib/redis/group.ts";
import { desk, idsOf } from "../_support/group_desk.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

Deno.test("a message whose deliveries ran out goes to the dead-letter topic, whole", async (t) => {
  for (const how of ["nack", "lease ran out"]) {
    await t.step(how, async () => {
      await using partition = redis.open();
      const body =
        '{"type":"t","key":"k","headers":{"a":"1","data":"x"},"data":{"headers":{"b":1},"n":1.0}}';
      await partition.commit({ jobs: [body] });
      const g = desk(partition);
      await partition.store.groups.configure(g.name, { maxDeliveries: 2, since: "earliest" });
      for (let i = 0; i < 2; i++) {
        const { lease = "", messages } = await g.pull({ leaseMs: how === "nack" ? 1_000 : 0 });
        assert.equal(messages[0]?.deliveries, i + 1);
        if (how === "nack") await g.settle("nack", idsOf({ messages } as PullResult), { lease });
      }
      assert.deepEqual(idsOf(await g.pull()), []);
      const [dead] = await partition.store.history({
        topic: "$dead.jobs",
        count: 9,
        descending: false,
      });
      const text = dead?.message.body ?? "";
      assert.ok(text.endsWith('"a":"1","data":"x"},"data":{"headers":{"b":1},"n":1.0}}'), text);
      const { headers, type, key } = JSON.parse(text);
      assert.deepEqual([type, key], ["t", "k"]);
      assert.deepEqual(
        [headers["dead-reason"], headers["dead-group"], headers["dead-deliveries"], headers.a],
        [how, "g", "2", "1"],
      );
      const info = await g.info();
      assert.deepEqual([info?.pending, info?.dead], [0, 1]);
    });
  }
});

Deno.test("dead-letter headers are put where a body has none", async (t) => {
  const bodies = [
    '{"data":{"headers":{"a":1}}}',
    '{"data":"\\",\\"headers\\":{\\"x\\":1"}',
    '{"type":"a,\\"data\\":","data":1}',
    '{"headers":{},"data":[]}',
    '{"contentType":"x/y","dataBase64":"AA=="}',
    '{"data":{"dataBase64":1}}',
    '{"key":",\\"headers\\":{","data":null}',
  ];
  for (const body of bodies) {
    await t.step(body, async () => {
      await using partition = redis.open();
      await partition.commit({ jobs: [body] });
      const g = desk(partition);
      await partition.store.groups.configure(g.name, { maxDeliveries: 1, since: "earliest" });
      await g.settle("nack", idsOf(await g.pull()));
      const [dead] = await partition.store.history({
        topic: "$dead.jobs",
        count: 9,
        descending: false,
      });
      const { headers, ...rest } = JSON.parse(dead?.message.body ?? "");
      const { headers: _, ...expected } = JSON.parse(body);
      assert.deepEqual(rest, expected);
      assert.equal(headers["dead-group"], "g");
    });
  }
});

Deno.test("redrive puts dead letters back, each once, with deliveries from one", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2, 3);
  const g = desk(partition);
  await partition.store.groups.configure(g.name, { maxDeliveries: 1, since: "earliest" });
  await g.settle("nack", idsOf(await g.pull()));
  const dead = await partition.store.history({ topic: "$dead.jobs", count: 9, descending: false });
  const [one = ""] = dead.map(({ message }) => message.id ?? "");
  const { groups } = partition.store;
  assert.deepEqual(await groups.redrive("jobs", { ids: [one, "5-5"] }), {
    redriven: 1,
    unknown: ["5-5"],
  });
  assert.deepEqual(await groups.redrive("jobs", { ids: [one] }), { redriven: 0, unknown: [one] });
  assert.deepEqual(await groups.redrive("jobs", { group: "other" }), { redriven: 0, unknown: [] });
  assert.deepEqual(await groups.redrive("jobs"), { redriven: 2, unknown: [] });
  assert.deepEqual(await groups.redrive("jobs"), { redriven: 0, unknown: [] });
  const back = await g.pull();
  assert.deepEqual([idsOf(back).sort(), back.messages.map(({ deliveries }) => deliveries)], [ids, [
    1,
    1,
    1,
  ]]);
  assert.equal((await g.settle("ack", ids)).done, 3);
  assert.deepEqual([(await g.info())?.pending, (await g.info())?.dead], [0, 0]);
});

Deno.test("redrive goes through more dead letters than one step takes", async () => {
  await using partition = redis.open();
  const g = desk(partition);
  await partition.store.groups.configure(g.name, { maxDeliveries: 1, since: "earliest" });
  for (let i = 0; i < 3; i++) {
    await partition.publish("jobs", ...Array.from({ length: 400 }, (_, n) => n));
    await g.settle("nack", idsOf(await g.pull({ max: 1_000 })));
  }
  assert.equal((await partition.store.groups.redrive("jobs")).redriven, 1_200);
  assert.equal((await g.info())?.pending, 1_200);
});
