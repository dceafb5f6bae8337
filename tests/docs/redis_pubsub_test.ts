/** What the pages "From Redis Pub/Sub in ten minutes" show of Runnel, run. */
import assert from "node:assert/strict";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../lib/cli/topology/topology.ts";
import { publishId, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startServer } from "../_support/server.ts";
import { deadline, until } from "../_support/until.ts";
import {
  readPage,
  type RunOptions,
  runSnippet,
  type Snippet,
  snippetsOf,
  variablesOf,
  watchSnippet,
} from "./snippets.ts";

/** What each block writes, in order, by its heading; `starts` is one that starts Runnel, `live` one that subscribes. */
const WRITES: Readonly<Record<string, readonly (RegExp | "starts" | "live")[]>> = {
  "Start": ["starts", "starts"],
  "Publish": [
    /"topic":"news","duplicate":false/,
    /duplicate: false/,
    /"duplicate":false[^]*"duplicate":true/,
    /"id":null/,
  ],
  "Subscribe in a thread": ["live", "live", "live"],
  "Connection pool": ["starts"],
  "Pipeline": [
    /accepted: 1000, rejected: 0/,
    /^\{"accepted":1000,"rejected":0\}/,
    /"accepted":2/,
  ],
  "Async": [/^100$/m, /"topic":"news"[^]*"topic":"news"[^]*"topic":"news"/],
  "AOF and RDB": [
    /appendfsync is always/,
    /(event: \$ready[^]*"topic":"news"[^]*event: \$bye[^]*){2}"messages":\[\{"id"/,
    /"maxMessages":1000/,
  ],
  // both of the set may have it by then
  "Replicas and Sentinel": ["starts", /"replicas":[12]/],
  "Password and users": ["starts", /"topic":"news"/],
  "TLS with client certificates": ["starts"],
};

/** Where a busy machine keeps Redis waiting, that is not what is looked at here. */
const PATIENT = { REDIS_CONNECT_TIMEOUT_MS: "10000", REDIS_COMMAND_TIMEOUT_MS: "20000" };

const english = snippetsOf(readPage("redis_pubsub.md"));
const shown = english.filter(isRunnels);
const hasPython = await new Deno.Command("python3", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

/** What is shown of a Redis client has no place in Runnel's tests, and text is no code. */
function isRunnels({ language, text }: Snippet): boolean {
  return language !== "text" && !/^(import|from) redis/m.test(text);
}

Deno.test("the page's blocks are all known, and the Chinese page has the same", () => {
  const headings = Map.groupBy(shown, ({ heading }) => heading);
  assert.deepEqual(
    Object.fromEntries([...headings].map(([heading, blocks]) => [heading, blocks.length])),
    Object.fromEntries(Object.entries(WRITES).map(([heading, all]) => [heading, all.length])),
  );
  const chinese = snippetsOf(readPage("redis_pubsub.zh.md"));
  assert.deepEqual(chinese.map(({ text }) => text), english.map(({ text }) => text));
});

Deno.test("what the page shows of Runnel works", async (t) => {
  await using redis = await startTopology("sentinel");
  const { REDIS_URL: redisUrl } = redis.env;
  await using runnel = await openRunnel({ redisUrl, env: PATIENT });
  await using closed = await openRunnel({ redisUrl, env: { ...PATIENT, RUNNEL_AUTH: "keys" } });
  await publishId(runnel.url, { topic: "news", data: "before" });
  const places = new Map<string, number>();
  for (const snippet of shown) {
    const { heading, language, text } = snippet;
    const place = places.get(heading) ?? 0;
    places.set(heading, place + 1);
    const wanted = WRITES[heading]?.[place];
    if (wanted === undefined || wanted === "starts") continue;
    if (language === "python" && !hasPython) continue;
    const { url } = text.includes("RUNNEL_TOKEN") ? closed : runnel;
    const options: RunOptions = { url, env: redis.env };
    await t.step(`${heading} ${place + 1}, ${language}`, async () => {
      if (wanted === "live") await watch(snippet, options);
      else assert.match(await runSnippet(snippet, options), wanted, text);
    });
  }
});

async function watch(snippet: Snippet, options: RunOptions): Promise<void> {
  let n = 0;
  await watchSnippet(snippet, {
    ...options,
    wanted: /Hello \d/,
    nudge: () => publishId(options.url, { topic: "news", data: `Hello ${++n}` }),
  });
}

const starting = shown.filter(({ text }) => text.includes("deno task start"));

for (const { heading, text } of starting) {
  Deno.test(`deno task start as the page shows it works: ${heading}, ${text.trim()}`, async () => {
    const shown = variablesOf(text);
    await using redis = await redisFor(shown);
    for (const name of Object.keys(redis?.env ?? {})) assert.ok(name in shown, `${name} is shown`);
    const dir = await Deno.makeTempDir({ prefix: "runnel-data-" });
    try {
      await using server = await startServer({
        env: { RUNNEL_DATA_DIR: dir, ...PATIENT, ...shown, ...redis?.env },
      });
      await until(async () => (await send(`${server.url}/health/ready`)).status === 200);
      await publishId(server.url, { topic: "news", data: "Hello" });
      // with a Redis of its own, which it takes with it
      server.signal("SIGTERM");
      await deadline(server.status, 20_000, "the end of the server");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

/** The Redis that such variables lead to; undefined where Runnel brings its own. */
async function redisFor(variables: Record<string, string>): Promise<Topology | undefined> {
  const { REDIS_URL: url, REDIS_PASSWORD: password } = variables;
  if (url === undefined) return undefined;
  const name = url.startsWith("redis+sentinel:") ? "sentinel" : "single";
  return await startTopology(url.startsWith("rediss:") ? "tls" : name, {
    ...(password === undefined ? {} : { password }),
  });
}
