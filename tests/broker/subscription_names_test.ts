import assert from "node:assert/strict";
import { SubscriptionNames } from "../../lib/broker/subscription_names.ts";

const soon = () => AbortSignal.timeout(5_000);

/** Names signed with a secret; `next` is the one that is found when it is looked for anew. */
function namesWith(secret: string, next = secret): SubscriptionNames {
  let known = secret;
  return new SubscriptionNames({
    secret: () => Promise.resolve(known),
    renew: () => {
      known = next;
      return Promise.resolve();
    },
  });
}

Deno.test("SubscriptionNames signs names that every process with the secret can check", async () => {
  const [here, there, elsewhere] = [namesWith("s"), namesWith("s"), namesWith("other")];
  const names = await Promise.all(Array.from({ length: 20 }, () => here.create(soon())));
  assert.equal(new Set(names).size, 20);
  for (const name of names) {
    assert.match(name, /^[0-9a-f-]{36}\.[\w-]{22}$/);
    assert.equal(await there.verify(name), name.slice(0, 36));
    assert.equal(await elsewhere.verify(name), undefined);
  }
});

Deno.test("SubscriptionNames knows no name that was altered or invented", async () => {
  const names = namesWith("s");
  const name = await names.create(soon());
  const other = await names.create(soon());
  const forged = other.slice(0, 36) + name.slice(36);
  for (const wrong of ["", "x", name.slice(0, 36), `${name}x`, forged]) {
    assert.equal(await names.verify(wrong), undefined);
  }
});

Deno.test("SubscriptionNames learns the secret that another process made after Redis had lost it", async () => {
  const theirs = await namesWith("new").create(soon());
  const names = namesWith("old", "new");
  assert.ok(await names.verify(theirs));
  assert.ok(await namesWith("new").verify(await names.create(soon())));
});

Deno.test("SubscriptionNames fails where Redis is away, and in time where it hangs", async () => {
  const renew = () => Promise.resolve();
  const away = new SubscriptionNames({ secret: () => Promise.reject(new Error("away")), renew });
  await assert.rejects(away.create(soon()), /away/);
  const hangs = new SubscriptionNames({ secret: () => new Promise(() => {}), renew });
  const late = new AbortController();
  const naming = hangs.create(late.signal);
  late.abort(new Error("too late"));
  await assert.rejects(naming, /too late/);
});
