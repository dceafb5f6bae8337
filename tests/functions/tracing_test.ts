import assert from "node:assert/strict";
import { loadTracing } from "../../lib/metrics/tracing.ts";
import { publish, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startServer } from "../_support/server.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { type CollectedSpan, startCollector } from "../_support/span_collector.ts";
import { openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OTHER = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const OTHER_PARENT = `00-${OTHER}-00f067aa0ba902b7-01`;
const headers = { traceparent: PARENT };

/** The one span that fits, when it has come. */
async function spanOf(
  spans: readonly CollectedSpan[],
  fits: (span: CollectedSpan) => boolean,
): Promise<CollectedSpan> {
  return await until(() => spans.find(fits), { what: "a span", timeoutMs: 20_000 });
}

Deno.test("a traceparent goes from the publisher to the subscriber, though nobody collects spans", async () => {
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: "t1" },
  });
  const { url } = runnel;
  await using stream = await openStream(`${url}/subscribe/a`);
  await stream.until("$ready");
  const own = { traceparent: OTHER_PARENT, x: "1" };
  await publish(url, { topic: "a", data: 1 });
  await publish(url, { topic: "a", data: 2 }, { headers });
  await send(`${url}/publish/a`, { method: "POST", body: "3", headers });
  await publish(url, { topic: "a", data: 4, headers: own }, { headers });
  await publish(url, { topic: "a", data: 5 }, { headers: { traceparent: "00-0-0-00" } });
  await publish(url, { topic: "a", data: 6, durability: "ephemeral" }, { headers });
  const json = [{ topic: "a", data: 7 }, { topic: "a", data: 8, headers: own }];
  await send(`${url}/batch`, { json, headers });
  const event = { specversion: "1.0", id: "9", source: "/s", type: "t", topic: "a" };
  const as = (type: string) => ({ ...headers, "content-type": `application/cloudevents${type}` });
  await send(`${url}/publish`, { json: event, headers: as("+json") });
  await send(`${url}/publish`, { json: [{ ...event, id: "10" }], headers: as("-batch+json") });
  const messages = await stream.messages(10);
  const events = messages.splice(8).map((message) => message.headers);
  assert.deepEqual(events.map((one) => (one as typeof own).traceparent), [PARENT, PARENT]);
  const carried = messages.map((message) => message.headers);
  const theirs = { traceparent: PARENT };
  assert.deepEqual(carried, [
    ...[undefined, theirs, theirs, own, undefined, theirs, theirs, own],
  ]);
});

Deno.test("a retry in another trace is the same message", async () => {
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: "t2" },
  });
  const { url } = runnel;
  const message = { topic: "a", data: 1, idempotencyKey: "k", headers: { x: "1" } };
  const first = await publish(url, message, { headers });
  const again = await publish(url, message, { headers: { traceparent: OTHER_PARENT } });
  const without = await publish(url, message);
  const inside = await publish(url, {
    ...message,
    headers: { x: "1", traceparent: OTHER_PARENT },
  });
  const answers = [again, without, inside];
  assert.deepEqual(answers.map(({ body }) => [body.id, body.duplicate]), [
    ...Array.from({ length: 3 }, () => [first.body.id, true]),
  ]);
  const other = await publish(url, { ...message, headers: { x: "2" } }, { headers });
  assert.equal(other.body.code, "idempotency_conflict");
});

Deno.test("a publish and its delivery are spans of the caller's trace", async () => {
  await using collector = startCollector();
  await using server = await startServer({ redisUrl: redis.server.url, env: collector.env });
  const { url } = server;
  await using stream = await openStream(`${url}/subscribe/traced`);
  await stream.until("$ready");
  const { body } = await publish(url, { topic: "traced", data: 1 }, { headers });
  const [message] = await stream.messages(1);
  const { spans } = collector;
  const sent = await spanOf(spans, ({ name }) => name === "publish traced");
  const given = await spanOf(spans, ({ name }) => name === "deliver traced");
  assert.equal(message?.headers?.traceparent, `00-${TRACE}-${sent.spanId}-01`);
  assert.deepEqual([sent.traceId, sent.kind], [TRACE, 4]);
  assert.deepEqual([given.traceId, given.kind, given.parentSpanId], [TRACE, 5, sent.spanId]);
  assert.equal(given.attributes["messaging.message.id"], body.id);
  // the runtime has a span of the request itself between the caller's and this one
  const request = await spanOf(spans, ({ spanId }) => spanId === sent.parentSpanId);
  assert.deepEqual([request.traceId, request.kind], [TRACE, 2]);
  // what is refused is seen too
  await publish(url, { topic: "traced", data: 1, idempotencyKey: "k" });
  await publish(url, { topic: "traced", data: 2, idempotencyKey: "k" });
  await spanOf(spans, ({ name, status }) => name === "publish traced" && status?.code === 2);
});

Deno.test("a batch is one span with links, and what is pulled, asked and answered is traced", async () => {
  await using collector = startCollector();
  await using server = await startServer({ redisUrl: redis.server.url, env: collector.env });
  const { url } = server;
  const { spans } = collector;
  const json = [{ topic: "b", data: 1 }, {
    topic: "b",
    data: 2,
    headers: { traceparent: OTHER_PARENT },
  }];
  await send(`${url}/batch`, { json, headers });
  const { body } = await send(`${url}/pull`, {
    json: { topic: "b", group: "g", since: "earliest", max: 10 },
  });
  const batch = await spanOf(spans, ({ name }) => name === "publish batch");
  assert.deepEqual([batch.traceId, batch.kind], [TRACE, 4]);
  assert.deepEqual(
    batch.links?.map(({ traceId, spanId }) => [traceId, spanId]),
    [[OTHER, "00f067aa0ba902b7"]],
  );
  const pulled = body.messages as { headers: { traceparent: string } }[];
  assert.deepEqual(pulled.map((message) => message.headers.traceparent), [
    `00-${TRACE}-${batch.spanId}-01`,
    OTHER_PARENT,
  ]);
  for (const [traceId, parent] of [[TRACE, batch.spanId], [OTHER, "00f067aa0ba902b7"]]) {
    const given = await spanOf(
      spans,
      (span) => span.name === "deliver b" && span.traceId === traceId,
    );
    assert.equal(given.parentSpanId, parent);
  }
  const asked = send(`${url}/request`, {
    json: { topic: "ask", data: "?", timeoutMs: 20_000 },
    headers: { traceparent: OTHER_PARENT },
  });
  const work = { topic: "ask", group: "g", since: "earliest", waitMs: 20_000 };
  const taken = await send(`${url}/pull`, { json: work });
  const [question] = taken.body.messages as {
    replyTo: string;
    headers: { traceparent: string };
  }[];
  assert.ok(question);
  const carried = question.headers.traceparent;
  assert.equal(carried.split("-")[1], OTHER);
  await send(`${url}/reply`, {
    json: { replyTo: question.replyTo, data: "!" },
    headers: { traceparent: carried },
  });
  const answer = (await asked).body;
  const replied = await spanOf(spans, ({ name }) => name === "publish reply");
  assert.equal(replied.traceId, OTHER);
  const { traceparent } = answer.headers as { traceparent: string };
  assert.equal(traceparent, `00-${OTHER}-${replied.spanId}-01`);
});

Deno.test("what writes spans and metrics is loaded only where somebody asks for it", async () => {
  assert.equal(await loadTracing(), undefined);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", "functions/main.ts"],
  }).output();
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  // what is reached from the beginning, imports of types and those of later left out
  const reached = new Set<string>();
  const visit = (specifier: string) => {
    if (reached.has(specifier)) return;
    reached.add(specifier);
    const { dependencies = [] } = modules.find((one) => one.specifier === specifier) ?? {};
    for (const { code, isDynamic } of dependencies) {
      if (code?.specifier !== undefined && isDynamic !== true) visit(code.specifier);
    }
  };
  visit(new URL("../../functions/main.ts", import.meta.url).href);
  assert.ok([...reached].some((specifier) => specifier.includes("ioredis")));
  const early = [...reached].filter((one) => /opentelemetry|prom-client/.test(one));
  assert.deepEqual(early, []);
});

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}
