import assert from "node:assert/strict";
import { readTraceparent, withoutTraceparent } from "../../lib/codec/traceparent.ts";

const GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("readTraceparent() takes what W3C Trace Context allows, and nothing else", () => {
  assert.equal(readTraceparent(GOOD), GOOD);
  assert.equal(readTraceparent(GOOD.replace(/01$/, "00")), GOOD.replace(/01$/, "00"));
  // a later version may say more
  assert.equal(readTraceparent(`cc${GOOD.slice(2)}-what-ever`), GOOD);
  const wrong = [
    ...["", null, undefined, "x", GOOD.toUpperCase(), GOOD.slice(1), `${GOOD}-more`],
    ...[`ff${GOOD.slice(2)}`, ` ${GOOD}`, `${GOOD}\n`],
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    `cc${GOOD.slice(2)}-${"x".repeat(1_000)}`,
  ];
  for (const text of wrong) assert.equal(readTraceparent(text), undefined, `${text}`);
});

Deno.test("withoutTraceparent() leaves a message as it would be without", () => {
  const bare: { data: number; headers?: Record<string, string> } = { data: 1 };
  assert.equal(withoutTraceparent(bare), bare);
  assert.deepEqual(withoutTraceparent({ ...bare, headers: { traceparent: GOOD } }), bare);
  assert.deepEqual(withoutTraceparent({ ...bare, headers: { a: "b", traceparent: GOOD } }), {
    data: 1,
    headers: { a: "b" },
  });
});
