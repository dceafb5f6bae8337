import assert from "node:assert/strict";
import { GroupSpan, type SpanPart } from "../../lib/broker/group_span.ts";
import { RunnelError } from "../../lib/errors.ts";
import type { PullResult } from "../../lib/redis/group.ts";
import { range } from "../_support/fill.ts";
import { given, nothing } from "../_support/scripted_groups.ts";

const OP = {
  kind: "pull",
  name: { sub: "jobs.*", group: "g" },
  consumer: "",
  max: 10,
  leaseMs: 1_000,
  since: () => "latest",
} as const;

/** A partition that has work, and what becomes of taking it. */
function partWith(
  number: number,
  taken: PullResult | Error,
): SpanPart & { readonly takes: number } {
  const part = {
    number,
    takes: 0,
    calls: {
      pull: ({ max }: { max: number }) => {
        if (max === 0) return Promise.resolve(nothing({ more: true }));
        part.takes++;
        return taken instanceof Error ? Promise.reject(taken) : Promise.resolve(taken);
      },
      settle: () => Promise.reject(new Error("nothing is settled")),
    },
    waiters: { enter: () => assert.fail("nobody waits") },
  };
  return part;
}

const LEASED = given(3, { lease: "l", leaseUntil: 1 });

Deno.test("a pull over several partitions takes from the others where one fails meanwhile", async () => {
  const failing = partWith(0, new RunnelError("redis_unavailable"));
  const span = new GroupSpan([failing, partWith(1, LEASED), partWith(2, LEASED)]);
  // which partition is the first is drawn
  for (const _ of range(0, 50)) assert.equal((await span.pull(OP)).messages.length, 6);
  assert.ok(failing.takes > 0);
});

Deno.test("a pull over several partitions fails where all that had something do", async () => {
  const span = new GroupSpan(range(0, 2).map((n) => partWith(n, new RunnelError("redis_timeout"))));
  await assert.rejects(span.pull(OP), { code: "redis_timeout" });
});

Deno.test("a pull over several partitions takes no more where it is unknown what one leased", async () => {
  const span = new GroupSpan([
    partWith(0, new RunnelError("outcome_unknown")),
    partWith(1, new RunnelError("outcome_unknown")),
  ]);
  await assert.rejects(span.pull(OP), { code: "outcome_unknown" });
  const parts = [partWith(0, new RunnelError("outcome_unknown")), partWith(1, LEASED)] as const;
  for (const _ of range(0, 50)) {
    const before = parts[1].takes;
    const taken = await new GroupSpan(parts).pull(OP).then(
      ({ messages }) => messages.length,
      () => 0,
    );
    assert.equal(taken, 3 * (parts[1].takes - before), "either it was told, or nobody was asked");
  }
});
