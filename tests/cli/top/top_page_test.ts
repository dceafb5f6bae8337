import assert from "node:assert/strict";
import { rateText, sparkline, topPage, type TopView } from "../../../lib/cli/top/top_page.ts";

Deno.test("rateText() and sparkline() show rates for people", () => {
  assert.deepEqual(
    [undefined, 0, 0.254, 9.99, 12.34, 99.99, 1_234.5].map(rateText),
    ["…", "0", "0.25", "9.99", "12.3", "100", "1,235"],
  );
  assert.equal(sparkline([0, 1, 4, 8]), "▁▂▅█");
  assert.equal(sparkline([0, 0]), "");
  assert.equal(sparkline([]), "");
});

Deno.test("topPage() fills a screen of any size, and cuts what does not fit", () => {
  const row = { topic: "日本.\u202eabc".repeat(20), count: 1e9, rate: 12_345, history: [1, 2] };
  const view: TopView = {
    ...{ server: "http://localhost:8000", order: "rate", intervalMs: 2_000 },
    rows: Array.from({ length: 50 }, () => row),
    details: new Map(),
    above: 0,
    topics: { known: 50, busy: 1, looked: 50, complete: true, missing: false, oldestMs: 0 },
    ...{ in: 1, stats: undefined, trouble: undefined },
  };
  const style = (_style: string, text: string) => text;
  for (const [columns, lines] of [[200, 60], [80, 24], [40, 10], [10, 3], [1, 1]] as const) {
    const page = topPage(view, { columns, lines, style });
    assert.equal(page.length, lines);
    assert.ok(page.every((line) => !line.includes("\u202e")));
    if (columns < 40) continue;
    for (const line of page) assert.ok(line.length <= columns, line);
  }
});
