import assert from "node:assert/strict";
import { OUTPUTS, refresh } from "../../lib/cli/build/outputs.ts";

for (const output of OUTPUTS) {
  Deno.test(`${output.path} is what its sources make`, async () => {
    const isFresh = await refresh(output, { write: false });
    assert.ok(isFresh, "run deno task build");
  });
}
