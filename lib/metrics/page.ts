import { Exposition, type Row } from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import type { Metrics } from "./metrics.ts";

/** What is told beside what the process counts. */
export interface PageSources {
  readonly metrics: Metrics;
  /** The Redis servers; empty where they are not known. */
  readonly redis: readonly {
    readonly shard: number;
    readonly latencyMs: number | null;
    readonly memoryBytes: number | null;
    readonly maxMemoryBytes: number | null;
    readonly connected: boolean;
  }[];
  /** What there is in the whole deployment; undefined where that could not be found out. */
  readonly census:
    | {
      readonly topics: number;
      readonly groups: number;
      readonly lag: number;
      readonly pending: number;
      readonly held: number;
      readonly dead: number;
    }
    | undefined;
  /** Names of this process and of what runs it. */
  readonly build: Readonly<Record<string, string>>;
  /** Memory of this process in bytes; undefined where the host does not tell. */
  readonly memory:
    | { readonly rss: number; readonly heapTotal: number; readonly heapUsed: number }
    | undefined;
}

/** Routes answer in milliseconds; finer steps of each of them would only be rows. */
const ROUTES_LEAST_MS = 1;

/** Writes all metrics as Prometheus reads them. */
export async function metricsPage(
  sources: PageSources,
): Promise<{ readonly text: string; readonly contentType: string }> {
  const page = new Exposition();
  writeProcess(page, sources);
  writeRequests(page, sources.metrics);
  writeMessages(page, sources.metrics);
  writeFeeds(page, sources.metrics);
  writeRedis(page, sources);
  writeCensus(page, sources.census);
  return { text: await page.text(), contentType: page.contentType };
}

function writeProcess(page: Exposition, { metrics, build, memory }: PageSources): void {
  page.gauge({
    name: "runnel_build_info",
    help: "1, with what runs this process",
    labels: Object.keys(build),
  }, [[build, 1]]);
  page.gauge({
    name: "runnel_start_time_seconds",
    help: "When this process began to count, in seconds since 1970",
  }, [[{}, metrics.since / 1_000]]);
  page.gauge(
    {
      name: "runnel_memory_bytes",
      help: "Memory of this process: rss is all of it, heap what JavaScript has and uses",
      labels: ["kind"],
    },
    memory === undefined ? [] : [
      [{ kind: "rss" }, memory.rss],
      [{ kind: "heap_total" }, memory.heapTotal],
      [{ kind: "heap_used" }, memory.heapUsed],
    ],
  );
  page.histogram({
    name: "runnel_event_loop_delay_seconds",
    help: "How much later than it should a timer fired; measured from the first scrape on",
  }, [[{}, metrics.loopDelay.ask()]]);
}

function writeRequests(page: Exposition, { requests }: Metrics): void {
  const routes = requests.all().filter(({ time }) => time.count > 0);
  page.counter(
    {
      name: "runnel_http_requests_total",
      help: "Requests answered, by route, method and class of the status",
      labels: ["route", "method", "status"],
    },
    routes.flatMap(({ route, method, classes }) =>
      classes.flatMap((count, first): Row<number>[] =>
        count === 0 ? [] : [[{ route, method, status: `${first}xx` }, count]]
      )
    ),
  );
  page.histogram(
    {
      name: "runnel_http_request_duration_seconds",
      help: "Time until an answer began, by route and method; a stream's until its headers",
      labels: ["route", "method"],
    },
    routes.map(({ route, method, time }): Row<Histogram> => [{ route, method }, time]),
    { leastMs: ROUTES_LEAST_MS },
  );
}

function writeMessages(page: Exposition, metrics: Metrics): void {
  page.counter({
    name: "runnel_publish_messages_total",
    help: "Messages published at this process, by what became of them",
    labels: ["outcome"],
  }, rowsOf("outcome", metrics.published));
  page.counter({
    name: "runnel_publish_calls_total",
    help: "Calls that published one message (single) or several (batch)",
    labels: ["kind"],
  }, rowsOf("kind", metrics.publishCalls));
  page.histogram({
    name: "runnel_publish_duration_seconds",
    help: "Time from a call that publishes to its outcome, whatever the number of messages",
  }, [[{}, metrics.publishTime]]);
  const { done, failed, messages } = metrics.commits;
  page.counter({
    name: "runnel_commits_total",
    help: "Calls to Redis that store messages; those that wait for each other go together",
    labels: ["outcome"],
  }, rowsOf("outcome", { done, failed }));
  page.counter({
    name: "runnel_commit_messages_total",
    help: "Messages that went with the calls that were done",
  }, [[{}, messages]]);
  page.counter({
    name: "runnel_retries_total",
    help: "Calls made again because a reply was lost (commit, work) or a partition split",
    labels: ["what"],
  }, rowsOf("what", metrics.retries));
  page.counter({
    name: "runnel_delivered_messages_total",
    help: "Messages given out by this process, by the way they went",
    labels: ["to"],
  }, rowsOf("to", metrics.delivered));
  page.histogram({
    name: "runnel_delivery_delay_seconds",
    help: "Time from when a message was published to when it was given to live subscriptions here",
  }, [[{}, metrics.deliveryTime]]);
  page.gauge({
    name: "runnel_subscriptions_open",
    help: "Open streams of this process",
    labels: ["kind"],
  }, rowsOf("kind", metrics.open));
  page.counter({
    name: "runnel_gaps_total",
    help: "Gaps that subscriptions were told of, by why messages are gone",
    labels: ["reason"],
  }, rowsOf("reason", metrics.gaps));
}

function writeFeeds(page: Exposition, { feedBreaks, links }: Metrics): void {
  page.counter({
    name: "runnel_feed_breaks_total",
    help: "Times that live delivery went back to reading the log, by why",
    labels: ["reason"],
  }, rowsOf("reason", Object.fromEntries(feedBreaks)));
  page.gauge({
    name: "runnel_redis_connections",
    help: "Connections to Redis that there should be (wanted) and that are up; feeds come and go",
    labels: ["kind", "state"],
  }, [
    [{ kind: "command", state: "wanted" }, links.command.all],
    [{ kind: "command", state: "up" }, links.command.up],
    [{ kind: "feed", state: "up" }, links.feed.up],
  ]);
}

function writeRedis(page: Exposition, { redis, metrics: { commands } }: PageSources): void {
  const kinds = [...commands.all()];
  page.histogram({
    name: "runnel_redis_command_duration_seconds",
    help: "Time until Redis answered, by script or command",
    labels: ["command"],
  }, kinds.map(([command, { time }]): Row<Histogram> => [{ command }, time]));
  page.counter(
    {
      name: "runnel_redis_command_errors_total",
      help: "Commands that Redis refused or did not answer, by script or command",
      labels: ["command"],
    },
    kinds.flatMap(([command, { failed }]): Row<number>[] =>
      failed === 0 ? [] : [[{ command }, failed]]
    ),
  );
  const shards = (value: (shard: PageSources["redis"][number]) => number | null) =>
    redis.flatMap((one): Row<number>[] => {
      const known = value(one);
      return known === null ? [] : [[{ shard: `${one.shard}` }, known]];
    });
  page.gauge({
    name: "runnel_redis_up",
    help: "Whether a Redis answered now",
    labels: ["shard"],
  }, shards(({ connected }) => connected ? 1 : 0));
  page.gauge({
    name: "runnel_redis_latency_seconds",
    help: "How long a Redis took for a PING now",
    labels: ["shard"],
  }, shards(({ latencyMs }) => latencyMs === null ? null : latencyMs / 1_000));
  page.gauge({
    name: "runnel_redis_memory_bytes",
    help: "Memory that a Redis uses",
    labels: ["shard"],
  }, shards(({ memoryBytes }) => memoryBytes));
  page.gauge({
    name: "runnel_redis_memory_limit_bytes",
    help: "Most memory that a Redis may use; absent where it has no limit",
    labels: ["shard"],
  }, shards(({ maxMemoryBytes }) => maxMemoryBytes || null));
}

function writeCensus(page: Exposition, census: PageSources["census"]): void {
  const gauge = (name: string, help: string, value: number | undefined) =>
    page.gauge({ name, help }, value === undefined ? [] : [[{}, value]]);
  gauge("runnel_topics", "Topics of the whole deployment", census?.topics);
  gauge("runnel_groups", "Groups of the whole deployment", census?.groups);
  gauge("runnel_group_lag_messages", "Messages that groups have not taken yet", census?.lag);
  gauge(
    "runnel_group_pending_messages",
    "Messages that groups have leased, or that wait to be leased again",
    census?.pending,
  );
  gauge(
    "runnel_group_leased_messages",
    "Pending messages that consumers with a name, and group streams, hold",
    census?.held,
  );
  gauge("runnel_group_dead_letters", "Dead letters that were not put back", census?.dead);
}

function rowsOf(label: string, values: Readonly<Record<string, number>>): Row<number>[] {
  return Object.entries(values).map(([name, value]) => [{ [label]: name }, value]);
}
