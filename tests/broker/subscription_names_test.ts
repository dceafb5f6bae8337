import assert from "node:assert/strict";
import { SubscriptionNames } from "../../lib/broker/subscription_names.ts";
import { failure } from "../_support/scripted_store.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();
const soon = () => AbortSignal.timeout(5_000);

Deno.test("SubscriptionNames signs names that every process of the partition can check", async () => {
  await using partition = redis.open();
  await using same = partition.another();
  await using other = redis.open();
  const [here, there, elsewhere] = [partition, same, other].map(({ store }) =>
    new SubscriptionNames(store.confirmations)
  );
  const names = await Promise.all(Array.from({ length: 20 }, () => here?.create(soon())));
  assert.equal(new Set(names).size, 20);
  for (const name of names) {
    assert.match(name ?? "", /^[0-9a-f-]{36}\.[\w-]{22}$/);
    assert.equal(await there?.verify(name ?? ""), name?.slice(0, 36));
    assert.equal(await elsewhere?.verify(name ?? ""), undefined);
  }
});

Deno.test("SubscriptionNames of open subscriptions stay good where Redis has lost the secret", async () => {
  await using partition = redis.open();
  const { keys, confirmations } = partition.store;
  const names = new SubscriptionNames(confirmations);
  const name = await names.create(soon());
  await redis.cli("DEL", keys.secret);
  names.forget();
  const later = await names.create(soon());
  const others = new SubscriptionNames(confirmations);
  for (const one of [name, later]) assert.ok(await others.verify(one));
});

Deno.test("SubscriptionNames learns the secret that another process made after Redis had lost it", async () => {
  await using partition = redis.open();
  const { keys, confirmations } = partition.store;
  const names = new SubscriptionNames(confirmations);
  const before = await names.create(soon());
  await redis.cli("DEL", keys.secret);
  const others = new SubscriptionNames(confirmations);
  const theirs = await others.create(soon());
  assert.ok(await names.verify(theirs));
  assert.equal(await others.verify(before), undefined);
  assert.ok(await others.verify(await names.create(soon())));
});

Deno.test("SubscriptionNames gives a name that confirms nothing where Redis takes no writes, and a good one later", async () => {
  let full = true;
  const names = new SubscriptionNames({
    secret: (candidate) =>
      full ? Promise.reject(failure("redis_out_of_memory", "refused")) : Promise.resolve(candidate),
  });
  const unsigned = await names.create(soon());
  assert.match(unsigned, /^[0-9a-f-]{36}$/);
  assert.equal(await names.verify(unsigned), undefined);
  full = false;
  assert.ok(await names.verify(await names.create(soon())));
});

Deno.test("SubscriptionNames fails where Redis is away, and in time where it hangs", async () => {
  const away = new SubscriptionNames({
    secret: () => Promise.reject(failure("redis_unavailable", "unsent")),
  });
  await assert.rejects(away.create(soon()), { code: "redis_unavailable" });
  const hangs = new SubscriptionNames({ secret: () => new Promise(() => {}) });
  const late = new AbortController();
  const naming = hangs.create(late.signal);
  late.abort(new Error("too late"));
  await assert.rejects(naming, /too late/);
});
