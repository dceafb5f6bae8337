import assert from "node:assert/strict";
import { RequestMetrics } from "../../lib/metrics/request_metrics.ts";

Deno.test("RequestMetrics has a row for each route, and one for all that have none", () => {
  const requests = new RequestMetrics();
  const route = { method: "GET", path: "topics/:topic" };
  for (const status of [200, 404, 404, 503]) requests.note(route, { status, ms: 1 });
  for (const status of [404, 405, 700]) requests.note(undefined, { status, ms: 1 });
  const rows = requests.all().map(({ route, method, classes, time }) => [
    ...[route, method, classes.join(" "), time.count],
  ]);
  assert.deepEqual(rows, [
    ["/topics/:topic", "GET", "0 0 1 0 2 1", 4],
    ["other", "other", "0 0 0 0 2 1", 3],
  ]);
  assert.deepEqual([requests.total, requests.refused, requests.failed], [7, 1, 2]);
});
