import assert from "node:assert/strict";
import { newest, type Placement, readRecord, type ShardRecord } from "../../lib/redis/placement.ts";

function record(fields: Partial<Placement>): ShardRecord {
  const placement = {
    ...{
      deployment: "d",
      epoch: 1,
      ready: true,
      partitions: 1,
      shards: [],
      places: [],
      secret: "s",
    },
    ...fields,
  };
  return { shard: "a", placement, next: undefined };
}

const EMPTY: ShardRecord = { shard: undefined, placement: undefined, next: undefined };

Deno.test("newest() is the ready placement with the highest epoch", () => {
  const records = [record({ epoch: 2 }), record({ epoch: 7 }), record({ epoch: 5 }), EMPTY];
  assert.equal(newest(records)?.epoch, 7);
});

Deno.test("newest() passes over what not all shards agreed to", () => {
  assert.equal(newest([record({ epoch: 1 }), record({ epoch: 2, ready: false })])?.epoch, 1);
  assert.equal(newest([record({ ready: false }), EMPTY]), undefined);
  assert.equal(newest([]), undefined);
});

Deno.test("newest() refuses shards of two deployments, whichever is newer", () => {
  const two = [record({ deployment: "d", epoch: 1 }), record({ deployment: "e", epoch: 2 })];
  for (const records of [two, [...two].reverse()]) {
    assert.throws(() => newest(records), { code: "not_configured" });
  }
});

Deno.test("readRecord() reads a shard that was never used, and one that was", () => {
  assert.deepEqual(readRecord([null, null, null]), EMPTY);
  assert.deepEqual(readRecord(["", "", ""]), EMPTY);
  const { placement } = record({});
  assert.deepEqual(readRecord(["a", JSON.stringify(placement), null]), record({}));
});
