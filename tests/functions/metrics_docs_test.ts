/** What lib/docs says of metrics is what /metrics has. */
import assert from "node:assert/strict";
import { publish } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { type Family, readPrometheus } from "../_support/prometheus.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();
const DOCS = new URL("../../lib/docs/", import.meta.url);

interface Target {
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Readonly<Record<"h" | "w" | "x" | "y", number>>;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: unknown;
  readonly datasource?: { readonly uid: string };
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly Variable[] };
}

/** What /metrics has, and the labels of each metric as the documentation says them. */
async function families(): Promise<Map<string, Family>> {
  await using runnel = await openRunnel({ redisUrl: redis.server.url });
  await publish(runnel.url, { topic: "a", data: 1 });
  return readPrometheus(await (await fetch(`${runnel.url}/metrics`)).text());
}

/** The rows of the documentation's table: names with their labels and types. */
function documented(): Map<string, { labels: readonly string[]; type: string }> {
  const text = Deno.readTextFileSync(new URL("metrics.md", DOCS));
  const rows = [...text.matchAll(/^\| `(runnel_[a-z_]+)(?:\{([a-z0-9_,]+)\})?` +\| ([a-z]+)/gm)];
  return new Map(rows.map(([, name = "", labels = "", type = ""]) => [
    name,
    { labels: labels === "" ? [] : labels.split(","), type },
  ]));
}

/** Fails where a query asks for a metric or a label that is not there. */
function checkQuery(query: string, known: ReturnType<typeof documented>): void {
  for (
    const [, name = "", selectors = ""] of query.matchAll(/\b(runnel_[a-z_]+)(?:\{([^}]*)\})?/g)
  ) {
    const base = known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    const metric = known.get(base);
    assert.ok(metric, `${name} is in the table: ${query}`);
    assert.equal(metric.type === "histogram", base !== name, `${name}: ${query}`);
    for (const [, label = ""] of selectors.matchAll(/(\w+) *[=!]~?=?"/g)) {
      // Prometheus gives each target's own
      if (label !== "instance") assert.ok(metric.labels.includes(label), `${label}: ${query}`);
    }
    const labels = ["le", "instance", ...metric.labels];
    for (const [, by = ""] of query.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of by.split(/, */)) assert.ok(labels.includes(label), `${label}: ${query}`);
    }
  }
}

Deno.test("lib/docs/metrics.md has each metric with its type and labels, and no other", async () => {
  const known = documented();
  const found = await families();
  assert.deepEqual([...known.keys()].toSorted(), [...found.keys()].toSorted());
  for (const [name, { type, labels }] of known) {
    const family = found.get(name);
    assert.equal(family?.type, type, name);
    for (const sample of family?.samples ?? []) {
      const { le: _, ...own } = sample.labels;
      assert.deepEqual(Object.keys(own).toSorted(), labels.toSorted(), name);
    }
  }
});

Deno.test("the queries and alerts of lib/docs/metrics.md are of metrics that there are", () => {
  const known = documented();
  const text = Deno.readTextFileSync(new URL("metrics.md", DOCS));
  const blocks = [...text.matchAll(/```(?:promql|yaml)\n([^]*?)```/g)].map(([, code = ""]) => code);
  const queries = blocks.flatMap((code) => code.split("\n"))
    .filter((line) => line.includes("runnel_") && !line.trim().startsWith("#"));
  assert.ok(queries.length >= 12, `${queries.length}`);
  for (const query of queries) checkQuery(query, known);
  assert.throws(() => checkQuery("rate(runnel_nothing_total[1m])", known));
  assert.throws(() => checkQuery('runnel_redis_up{topic="a"}', known));
});

Deno.test("lib/docs/grafana.json is a dashboard of metrics that there are", () => {
  const known = documented();
  const dashboard: Dashboard = JSON.parse(Deno.readTextFileSync(new URL("grafana.json", DOCS)));
  assert.equal(dashboard.uid, "runnel");
  assert.ok(dashboard.title.length > 0 && dashboard.schemaVersion >= 36);
  const [source, instance] = dashboard.templating.list;
  assert.deepEqual([source?.name, source?.type, source?.query], [
    ...["datasource", "datasource", "prometheus"],
  ]);
  assert.equal(instance?.name, "instance");
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const used = new Set<string>();
  for (const { title, type, datasource, targets = [], gridPos } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24 && title.length > 0, title);
    if (type === "row") continue;
    assert.deepEqual(datasource, { type: "prometheus", uid: "${datasource}" }, title);
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) {
      checkQuery(expr, known);
      for (const [name] of expr.matchAll(/\brunnel_[a-z_]+/g)) {
        used.add(name.replace(/_(bucket|sum|count)$/, ""));
      }
    }
  }
  for (const { expr } of dashboard.annotations.list) checkQuery(expr, known);
  const unseen = [...known.keys()].filter((name) => !used.has(name));
  assert.deepEqual(unseen, ["runnel_start_time_seconds", "runnel_build_info"]);
});

Deno.test("the panels of lib/docs/grafana.json do not lie on each other", () => {
  const { panels }: Dashboard = JSON.parse(Deno.readTextFileSync(new URL("grafana.json", DOCS)));
  for (const [i, { title, gridPos: a }] of panels.entries()) {
    for (const { title: other, gridPos: b } of panels.slice(i + 1)) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      assert.ok(apart, `${title} and ${other}`);
    }
  }
});
