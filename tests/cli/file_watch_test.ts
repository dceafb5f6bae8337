import assert from "node:assert/strict";
import { FileWatch } from "../../lib/cli/file_watch.ts";
import { deadline } from "../_support/until.ts";

Deno.test("FileWatch.next() resolves after a source file changed, once for all of a burst", async () => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-watch-" });
  {
    using files = new FileWatch([dir]);
    await Deno.mkdir(`${dir}/deep`);
    for (const name of ["a.tsx", "b.json", "deep/c.html"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "x");
    }
    await deadline(files.next(), 10_000, "the first change");
    let again = false;
    const next = files.next().then(() => again = true);
    await Deno.writeTextFile(`${dir}/notes.txt`, "no source");
    await Deno.writeTextFile(`${dir}/built.ts`, "made of others");
    await Deno.readTextFile(`${dir}/a.tsx`);
    assert.equal(again, false);
    await Deno.writeTextFile(`${dir}/a.tsx`, "y");
    await deadline(next, 10_000, "the second change");
  }
  await Deno.remove(dir, { recursive: true });
});
