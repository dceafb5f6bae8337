import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { main } from "../../lib/cli/main.ts";
import { publishId, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";
import { startCli } from "./background_cli.ts";
import { startFakeServer } from "./fake_server.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { hasTerminals, openTerminal, plain } from "./pseudo_terminal.ts";

const onTerminal = { ignore: !hasTerminals };

async function stage() {
  const redis = await startRedis({ appendonly: false });
  const runnel = await openRunnel({ redisUrl: redis.url });
  const proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    stop: () => proxy.down(),
    startAgain: () => proxy.up(),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await runnel[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Rows of a frame whose first column is a topic that fits. */
function topicsIn(frame: string, names: RegExp): string[] {
  return frame.split("\n").map((line) => line.split(" ")[0] ?? "").filter((name) =>
    names.test(name)
  );
}

Deno.test(
  "top shows topics and rates on a screen of its own, and gives it back at q",
  onTerminal,
  async () => {
    await using scene = await stage();
    for (const topic of ["quiet", "busy"]) await publishId(scene.url, { topic, data: 1 });
    await using screen = openTerminal(["top", "--interval", "300ms"], { RUNNEL_URL: scene.url });
    await screen.shows((frame) => topicsIn(frame, /^(busy|quiet)$/).length === 2);
    assert.ok(screen.text.includes("\x1b[?1049h"));
    await until(async () => {
      await publishId(scene.url, { topic: "busy", data: 1 });
      return /^busy .* [1-9][\d.,]* .*[▁-█]/m.test(screen.frame);
    }, { timeoutMs: 30_000 });
    assert.deepEqual(topicsIn(screen.frame, /^(busy|quiet)$/), ["busy", "quiet"]);
    // Ctrl-Z would leave the shell on this screen
    await screen.type("\x1a");
    await screen.type("q");
    assert.equal(await deadline(screen.code, 60_000), 0);
    assert.ok(
      screen.text.endsWith("\x1b[?7h\x1b[?25h\x1b[?1049l"),
      JSON.stringify(screen.text.slice(-60)),
    );
  },
);

Deno.test("top gives the screen back at Ctrl-C, and ends well", onTerminal, async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "t", data: 1 });
  await using screen = openTerminal(["top", "--interval", "1m"], { RUNNEL_URL: scene.url });
  await screen.shows((frame) => topicsIn(frame, /^t$/).length === 1);
  await screen.type("\x03");
  assert.equal(await deadline(screen.code, 60_000), 0);
  assert.ok(screen.text.includes("\x1b[?1049l"));
});

Deno.test(
  "top gives the screen back when it fails, and says why on the one that stays",
  onTerminal,
  async () => {
    let refuses = false;
    await using server = startFakeServer(() =>
      refuses
        ? Response.json({ code: "invalid_token", detail: "It has expired" }, { status: 401 })
        : Response.json({ topics: [] })
    );
    await using screen = openTerminal(["top", "--interval", "300ms"], { RUNNEL_URL: server.url });
    await screen.shows((frame) => frame.includes("0 topics"));
    refuses = true;
    assert.equal(await deadline(screen.code, 60_000), 1);
    const [, after = ""] = screen.text.split("\x1b[?1049l");
    assert.match(
      plain(after),
      /error: The server refused \(401 invalid_token\): It has expired\n.*RUNNEL_TOKEN/,
    );
  },
);

Deno.test("top says that the server is away, and goes on when it is back", onTerminal, async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "t", data: 1 });
  await using screen = openTerminal(["top", "--interval", "300ms"], { RUNNEL_URL: scene.url });
  await screen.shows((frame) => topicsIn(frame, /^t$/).length === 1);
  scene.stop();
  await screen.shows((frame) => /Cannot reach the server .* trying again/.test(frame));
  assert.deepEqual(topicsIn(screen.frame, /^t$/), ["t"]);
  scene.startAgain();
  await publishId(scene.url, { topic: "t2", data: 1 });
  await screen.shows((frame) =>
    frame.startsWith("Runnel ") && topicsIn(frame, /^t2$/).length === 1
  );
});

Deno.test("top fits the screen, follows its size, scrolls and sorts", onTerminal, async () => {
  await using scene = await stage();
  const messages = Array.from({ length: 30 }, (_, i) => i).flatMap((i) =>
    Array.from({ length: i === 7 ? 3 : 1 }, () => ({ topic: `t${i}`.padEnd(90, "x"), data: i }))
  );
  await send(`${scene.url}/batch`, { json: messages });
  await using screen = openTerminal(["top", "--interval", "300ms", "--sort", "name"], {
    RUNNEL_URL: scene.url,
  });
  const named = (frame: string) => topicsIn(frame, /^t\d+x/);
  await screen.shows((frame) => named(frame).length === 14 && frame.includes("Left out: 16 below"));
  const fits = (columns: number, lines: number) => {
    const all = screen.frame.split("\n");
    assert.equal(all.length, lines);
    for (const line of all) assert.ok(line.length <= columns, line);
  };
  fits(100, 20);
  assert.match(named(screen.frame)[0] ?? "", /^t0x/);
  await screen.type("\x1b[B");
  await screen.shows((frame) => frame.includes("1 above, 15 below"));
  await screen.type("G");
  await screen.shows((frame) => frame.includes("29 above"));
  await screen.type("\x1b[Hss");
  await screen.shows((frame) => /^t7x/m.test(frame.split("\n")[4] ?? ""));
  await screen.resize({ columns: 60, lines: 12 });
  await screen.shows((frame) => named(frame).length === 6);
  fits(60, 12);
});

Deno.test("top prints JSON with rates, subscribers and lag", async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "jobs", data: 1 });
  await send(`${scene.url}/topics/jobs/groups/g`, { method: "PUT", json: { since: "earliest" } });
  const terminal = new MemoryTerminal();
  const args = ["top", "--once", "--json", "--interval", "200ms", "--url", scene.url];
  assert.equal(await deadline(main(args, terminal), 60_000), 0);
  assert.equal(terminal.outLines.length, 1);
  const line = JSON.parse(terminal.stdout);
  assert.ok(Date.parse(line.time) > 0);
  assert.deepEqual(line.topics, { known: 1, busy: 0, looked: 1, complete: true, missing: false });
  assert.deepEqual(line.rows[0], {
    ...{ topic: "jobs", rate: 0, count: 1, messages: 1, subscribers: 0 },
    ...{ lag: 1, pending: 0, dead: 0, groups: 1 },
  });
});

Deno.test("top prints a line of JSON each time, also while the server is away", async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "t", data: 1 });
  await using cli = await startCli(["top", "--json", "--interval", "200ms"], {
    RUNNEL_URL: scene.url,
  });
  const last = async () => JSON.parse((await cli.stdout()).trim().split("\n").at(-1) ?? "");
  await until(async () => (await last()).rows.length === 1, { timeoutMs: 30_000 });
  scene.stop();
  await until(async () => /Cannot reach the server/.test((await last()).error));
  scene.startAgain();
  await until(async () => (await last()).rows.length === 1);
  cli.signal("SIGINT");
  assert.equal(await deadline(cli.code, 10_000), 0);
});

Deno.test("top prints a plain table where nobody looks", async () => {
  await using scene = await stage();
  for (const topic of ["a.1", "b.1"]) await publishId(scene.url, { topic, data: 1 });
  const terminal = new MemoryTerminal();
  const args = ["top", "--once", "--interval", "200ms", "--prefix", "a", "--url", scene.url];
  assert.equal(await deadline(main(args, terminal), 60_000), 0);
  assert.match(terminal.stdout, /^in \S+\/s .* 1 topics, 0 busy.*\ntopic .*rate\/s.*\na\.1 .* 0 /);
  assert.ok(!terminal.stdout.includes("\x1b"));
});

Deno.test("top asks for the same however many topics there are, and says what it leaves out", async () => {
  const all = Array.from({ length: 100_000 }, (_, i) => `t${`${i}`.padStart(5, "0")}`);
  await using server = startFakeServer((request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/subscribe") return new Response(null, { status: 404 });
    const described = /^\/topics\/(.+)$/.exec(pathname)?.[1];
    if (described !== undefined) {
      const groups: unknown[] = [];
      return Response.json({ count: 1, lastId: "5-1", messages: 1, subscribers: 0, groups });
    }
    const from = all.indexOf(searchParams.get("after") ?? "") + 1;
    const page = all.slice(from, from + Number(searchParams.get("limit")));
    const next = from + page.length < all.length ? { next: page.at(-1) } : {};
    return Response.json({
      topics: page.map((topic) => ({ topic, count: 1, lastId: "5-1" })),
      ...next,
    });
  });
  const terminal = new MemoryTerminal();
  const args = ["top", "--once", "--interval", "200ms", "--url", server.url];
  assert.equal(await deadline(main(args, terminal), 30_000), 0);
  const asked = (path: RegExp) =>
    server.requests.filter(({ url }) => path.test(url.pathname)).length;
  // two looks
  assert.deepEqual([asked(/^\/topics$/), asked(/^\/topics\/./)], [40, 40]);
  assert.match(terminal.stdout, /40,000\+ topics/);
  assert.match(
    terminal.stdout,
    /Left out: 39,980 below; 20,000 topics looked at each time, more to come/,
  );
});

Deno.test("top shows what the instances say on $stats, together", async () => {
  const report = (instance: string, more: Record<string, unknown> = {}) =>
    `event: stats\ndata: ${
      JSON.stringify({
        ...{ id: null, topic: "$stats", type: "stats" },
        data: {
          ...{ instance, intervalMs: 500, in: 10, out: 300, errors: 1, subscribers: 4 },
          redis: [{ shard: 1, latencyMs: 1.25, memoryBytes: 2_000_000 }],
          groups: { count: 1, lag: 7, pending: 2, dead: 3 },
          ...more,
        },
      })
    }\n\n`;
  await using server = startFakeServer((request) => {
    if (new URL(request.url).pathname === "/topics") return Response.json({ topics: [] });
    const text = report("a") + report("b", { redis: undefined, groups: undefined }) + report("a");
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream({ start: (controller) => controller.enqueue(bytes) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  await using cli = await startCli(["top", "--json", "--interval", "200ms"], {
    RUNNEL_URL: server.url,
  });
  const last = async () => JSON.parse((await cli.stdout()).trim().split("\n").at(-1) ?? "");
  await until(async () => (await last()).stats?.instances === 2, { timeoutMs: 30_000 });
  const { stats } = await last();
  assert.deepEqual([stats.in, stats.out, stats.errors, stats.subscribers], [40, 1_200, 4, 8]);
  assert.deepEqual([stats.redisMs, stats.groups?.lag], [1.25, 7]);
});

Deno.test("top says when something else than Runnel answers", async () => {
  await using server = startFakeServer(() => new Response("<h1>Hello"));
  const terminal = new MemoryTerminal();
  assert.equal(await main(["top", "--once", "--url", server.url], terminal), 1);
  assert.match(terminal.stderr, /Cannot make sense of the answer[^]*Is that a Runnel\?/);
});

Deno.test("top refuses what it cannot do, with exit code 2", async () => {
  for (const args of [["--interval", "1ms"], ["--sort", "rat"], ["topic1"], ["--interval", "2"]]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main(["top", ...args], terminal), 2, args.join(" "));
  }
});
