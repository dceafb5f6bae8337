import assert from "node:assert/strict";
import type { Grants } from "../../lib/codec/grants.ts";
import { ALL, apiKey, bearer, SECRET, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { type Answer, send, type SendOptions } from "../_support/http.ts";

/** What somebody may do, name by name: whatever is not listed here must be refused. */
interface Rights {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly consume?: readonly string[];
  readonly manage?: boolean;
}

interface Somebody {
  readonly grants: Grants;
  readonly rights: Rights;
}

const TOPICS = ["orders.eu", "orders.eu.paris", "users.ann.inbox", "users.bob.inbox", "other"];
const DEAD = "$dead.orders.eu";
const PATTERNS = ["orders.*", "orders.**", "users.*.inbox", "*", "**"];
const NAMES = [...TOPICS, DEAD, ...PATTERNS];
const NO_SYSTEM = NAMES.filter((name) => name !== DEAD);

const EVERYBODY: Readonly<Record<string, Somebody>> = {
  "a publisher of all orders": {
    grants: { publish: ["orders.**"] },
    rights: { publish: ["orders.eu", "orders.eu.paris", "orders.*", "orders.**"] },
  },
  "a subscriber of one level of orders": {
    grants: { subscribe: ["orders.*"] },
    rights: { subscribe: ["orders.eu", "orders.*"] },
  },
  "a consumer of one topic": {
    grants: { consume: ["orders.eu"] },
    rights: { consume: ["orders.eu"] },
  },
  "a reader of dead letters": {
    grants: { subscribe: ["$dead.**"] },
    rights: { subscribe: [DEAD] },
  },
  "a user with a space of their own": {
    grants: { publish: ["users.{sub}.**"], subscribe: ["users.{sub}.**"] },
    rights: { publish: ["users.ann.inbox"], subscribe: ["users.ann.inbox"] },
  },
  "a manager": { grants: { manage: true }, rights: { manage: true } },
  "one with all patterns": {
    grants: ALL,
    rights: { publish: NO_SYSTEM, subscribe: NO_SYSTEM, consume: NO_SYSTEM },
  },
  "one with *": { grants: { subscribe: ["*"] }, rights: { subscribe: ["other", "*"] } },
  "one with nothing": { grants: {}, rights: {} },
};

type Names = "topics" | "published" | "all";

/** One way to do something. */
interface Way {
  /** Any of these rights will do. */
  readonly needs: readonly (keyof Rights)[];
  /** Which names it takes. */
  readonly takes: Names;
  readonly call: (topic: string) => { path: string } & SendOptions;
}

const EVENT = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const inPath = (topic: string) => encodeURIComponent(topic);
const WAYS: Readonly<Record<string, Way>> = {
  "GET /metrics": { needs: ["manage"], takes: "topics", call: () => ({ path: "/metrics" }) },
  "POST /publish": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({ path: "/publish", json: { topic, data: 1 } }),
  },
  "POST /publish/{topic}": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({ path: `/publish/${inPath(topic)}`, method: "POST", body: "1" }),
  },
  "POST /publish of a CloudEvent": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({
      path: "/publish",
      method: "POST",
      body: JSON.stringify({ ...EVENT, topic }),
      headers: { "content-type": "application/cloudevents+json" },
    }),
  },
  "POST /publish/{topic} of a CloudEvent in headers": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({
      path: `/publish/${inPath(topic)}`,
      method: "POST",
      headers: { "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/s", "ce-type": "t" },
    }),
  },
  "POST /batch of CloudEvents": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({
      path: "/batch",
      method: "POST",
      body: JSON.stringify([{ ...EVENT, topic }]),
      headers: { "content-type": "application/cloudevents-batch+json" },
    }),
  },
  "POST /batch": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({ path: "/batch", json: [{ topic, data: 1 }] }),
  },
  "POST /batch as NDJSON": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({
      path: "/batch",
      method: "POST",
      body: JSON.stringify({ topic, data: 1 }),
      headers: { "content-type": "application/x-ndjson" },
    }),
  },
  "POST /request": {
    needs: ["publish"],
    takes: "published",
    call: (topic) => ({ path: "/request", json: { topic, data: 1, timeoutMs: 1 } }),
  },
  "POST /token for publish": {
    needs: ["publish"],
    takes: "all",
    call: (topic) => ({ path: "/token", json: { publish: [topic] } }),
  },
  "GET /subscribe": {
    needs: ["subscribe"],
    takes: "all",
    call: (topic) => ({ path: `/subscribe?topic=${inPath(topic)}&wait=0` }),
  },
  "GET /subscribe/{topic} as NDJSON": {
    needs: ["subscribe"],
    takes: "all",
    call: (topic) => ({
      path: `/subscribe/${inPath(topic)}?wait=0&since=earliest`,
      headers: { accept: "application/x-ndjson" },
    }),
  },
  "GET /subscribe with a cursor of everything": {
    needs: ["subscribe"],
    takes: "all",
    call: (topic) => ({
      path: `/subscribe?topic=${inPath(topic)}&wait=0`,
      headers: { "last-event-id": "1-0" },
    }),
  },
  "GET /topics/{topic}/messages": {
    needs: ["subscribe"],
    takes: "topics",
    call: (topic) => ({ path: `/topics/${inPath(topic)}/messages` }),
  },
  "POST /ack of a subscriber": {
    needs: ["subscribe"],
    takes: "topics",
    call: (topic) => ({ path: "/ack", json: { topic, ids: ["1-0"], subscription: "x" } }),
  },
  "POST /token for subscribe": {
    needs: ["subscribe"],
    takes: "all",
    call: (topic) => ({ path: "/token", json: { subscribe: [topic] } }),
  },
  "GET /subscribe of a group": {
    needs: ["consume"],
    takes: "all",
    call: (topic) => ({ path: `/subscribe?topic=${inPath(topic)}&group=g&wait=0&limit=1` }),
  },
  "POST /pull": {
    needs: ["consume"],
    takes: "all",
    call: (topic) => ({ path: "/pull", json: { topic, group: "g" } }),
  },
  "POST /ack of a group": {
    needs: ["consume"],
    takes: "all",
    call: (topic) => ({ path: "/ack", json: { topic, group: "g", ids: ["1-0"] } }),
  },
  "POST /token for consume": {
    needs: ["consume"],
    takes: "all",
    call: (topic) => ({ path: "/token", json: { consume: [topic] } }),
  },
  "GET /topics/{topic}": {
    needs: ["subscribe", "consume", "manage"],
    takes: "topics",
    call: (topic) => ({ path: `/topics/${inPath(topic)}` }),
  },
  "PUT /topics/{topic}": {
    needs: ["manage"],
    takes: "published",
    call: (topic) => ({
      path: `/topics/${inPath(topic)}`,
      method: "PUT",
      json: { maxMessages: 1_000 },
    }),
  },
  "DELETE /topics/{topic}": {
    needs: ["manage"],
    takes: "topics",
    call: (topic) => ({ path: `/topics/${inPath(topic)}`, method: "DELETE" }),
  },
  "PUT /topics/{topic}/groups/{group}": {
    needs: ["manage"],
    takes: "all",
    call: (topic) => ({
      path: `/topics/${inPath(topic)}/groups/g`,
      method: "PUT",
      json: { maxDeliveries: 5 },
    }),
  },
  "DELETE /topics/{topic}/groups/{group}": {
    needs: ["manage"],
    takes: "all",
    call: (topic) => ({ path: `/topics/${inPath(topic)}/groups/h`, method: "DELETE" }),
  },
  "POST /topics/{topic}/redrive": {
    needs: ["manage"],
    takes: "topics",
    call: (topic) => ({ path: `/topics/${inPath(topic)}/redrive`, json: {} }),
  },
};

function namesOf(takes: Names): readonly string[] {
  if (takes === "all") return NAMES;
  return takes === "topics" ? [...TOPICS, DEAD] : TOPICS;
}

function isAllowed({ rights }: Somebody, { needs }: Way, name: string): boolean {
  return needs.some((right) => right === "manage" ? rights.manage : rights[right]?.includes(name));
}

/** The code of a refusal by who somebody is; undefined where the call went through, be its answer good or not. */
function refusalOf({ status, body }: Answer): string | undefined {
  // a batch answers for each message, NDJSON with a line each
  const [first] = Array.isArray(body.results) ? body.results : [];
  const line = typeof body.text === "string" && status === 200 && body.text.startsWith("{")
    ? JSON.parse(body.text.split("\n")[0] ?? "")
    : undefined;
  const error = first?.error ?? line?.error;
  if (error?.status === 401 || error?.status === 403) return error.code;
  return status === 401 || status === 403 ? String(body.code) : undefined;
}

const shown = Object.entries(EVERYBODY);
const keys = shown.map(([, { grants }], i) => apiKey(`key-${i}`, byKey(grants)));

/** A key has no subject: what a token says with {sub} it names. */
function byKey(grants: Grants): Grants {
  return JSON.parse(JSON.stringify(grants).replaceAll("{sub}", "ann"));
}

const env = {
  RUNNEL_AUTH: "jwt,keys",
  RUNNEL_JWT_SECRET: SECRET,
  RUNNEL_KEYS: JSON.stringify(keys.map(({ key }) => key)),
};

for (const kind of ["a token", "an API key", "a ticket"]) {
  Deno.test(`with ${kind} everybody may do exactly what they were given, on every topic, in every way`, async (t) => {
    await using runnel = await startRunnel({ env });
    for (const topic of TOPICS) {
      await send(`${runnel.url}/publish`, {
        json: { topic, data: 1 },
        headers: bearer(await token(ALL)),
      });
    }
    for (const [i, [who, somebody]] of shown.entries()) {
      const text = kind === "an API key"
        ? keys[i]?.text ?? ""
        : await token(somebody.grants, { sub: "ann" });
      for (const [how, way] of Object.entries(WAYS)) {
        const isTicket = kind === "a ticket";
        // a ticket gives neither tickets nor management
        if (isTicket && (how.includes("/token") || way.needs.includes("manage"))) continue;
        await t.step(`${who}: ${how}`, async () => {
          for (const name of namesOf(way.takes)) {
            const { path, headers = {}, ...call } = way.call(name);
            const credential = isTicket ? await ticketOf(runnel.url, text) : text;
            const query = isTicket ? `${path.includes("?") ? "&" : "?"}ticket=${credential}` : "";
            const answer = await send(`${runnel.url}${path}${query}`, {
              ...call,
              headers: { ...headers, ...(isTicket ? {} : bearer(credential)) },
            });
            const expected = isAllowed(somebody, way, name) ? undefined : "forbidden";
            assert.equal(refusalOf(answer), expected, `${name}: ${JSON.stringify(answer.body)}`);
          }
        });
      }
    }
  });
}

async function ticketOf(url: string, text: string): Promise<string> {
  const answer = await send(`${url}/token`, { json: {}, headers: bearer(text) });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return String(answer.body.ticket);
}

const STRANGERS: Readonly<Record<string, [headers: Record<string, string>, code: string]>> = {
  "nobody": [{}, "unauthenticated"],
  "somebody with an empty header": [{ authorization: "" }, "invalid_token"],
  "somebody with a password": [{ authorization: "Basic YTpi" }, "invalid_token"],
  "somebody with what is no token": [bearer("nonsense"), "invalid_token"],
  "somebody with two tokens": [{ authorization: "Bearer a Bearer b" }, "invalid_token"],
  "somebody with an unknown key": [bearer(apiKey("x", ALL).text), "invalid_token"],
  "somebody with an unknown cookie": [{ cookie: "a=b; runnel=x" }, "invalid_token"],
  "somebody with a foreign cookie": [{ cookie: "session=1" }, "unauthenticated"],
};

Deno.test("whoever shows nothing good is answered 401 in every way, and told how to show it", async (t) => {
  await using runnel = await startRunnel({ env });
  const expired = await token(ALL, { endsIn: -60 });
  const strangers = {
    ...STRANGERS,
    "somebody whose token has ended": [bearer(expired), "invalid_token"] as const,
  };
  for (const [who, [shown, code]] of Object.entries(strangers)) {
    await t.step(who, async () => {
      for (const [how, way] of Object.entries(WAYS)) {
        const { path, headers = {}, ...call } = way.call("orders.eu");
        const answer = await send(`${runnel.url}${path}`, {
          ...call,
          headers: { ...headers, ...shown },
        });
        assert.equal(answer.status, 401, `${how}: ${JSON.stringify(answer.body)}`);
        assert.equal(answer.body.code, code, how);
        assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
      }
      for (const path of ["/topics", "/scheduled/x"]) {
        const method = path === "/topics" ? "GET" : "DELETE";
        assert.equal((await send(runnel.url + path, { method, headers: shown })).status, 401);
      }
    });
  }
});

Deno.test("health, the welcome page and the console need no credential, and say nothing of topics", async () => {
  await using runnel = await startRunnel({ env });
  for (const path of ["/health/live", "/health/ready", "/", "/console"]) {
    const answer = await send(`${runnel.url}${path}`);
    assert.equal(answer.status, 200, path);
    assert.doesNotMatch(JSON.stringify(answer.body), /orders/);
  }
});

Deno.test("GET /topics lists what the caller may know of, page by page, and no other name, not even as next", async () => {
  await using runnel = await startRunnel({ env });
  const all = bearer(await token(ALL));
  const json = Array.from({ length: 120 }, (_, i) => ({
    topic: `${i % 3 === 0 ? "mine" : "secret"}.${`${i}`.padStart(3, "0")}`,
    data: i,
  }));
  assert.equal((await send(`${runnel.url}/batch`, { json, headers: all })).status, 200);
  const wanted = json.map(({ topic }) => topic).filter((topic) => topic.startsWith("mine")).sort();
  const cases: Grants[] = [
    { subscribe: ["mine.*"] },
    { consume: ["mine.**"] },
    { subscribe: ["*.*3", "mine.**", "mine.0*", "mine.003"] },
    { subscribe: wanted.slice(0, 20), consume: [...wanted.slice(20), "other", "minor.**"] },
  ];
  for (const grants of cases) {
    const headers = bearer(await token(grants));
    const seen: string[] = [];
    for (let after = "";;) {
      const { body } = await send(`${runnel.url}/topics?limit=7${after}`, { headers });
      if (!grants.subscribe?.includes("*.*3")) assert.doesNotMatch(JSON.stringify(body), /secret/);
      seen.push(...(body.topics as { topic: string }[]).map(({ topic }) => topic));
      if (body.next === undefined) break;
      after = `&after=${body.next}`;
    }
    assert.deepEqual(seen.filter((topic) => topic.startsWith("mine")), wanted);
  }
  const narrow = await send(`${runnel.url}/topics?prefix=mine.00`, {
    headers: bearer(await token({ subscribe: ["mine.**", "mine.003", "secret.001"] })),
  });
  const names = (narrow.body.topics as { topic: string }[]).map(({ topic }) => topic);
  assert.deepEqual(names, ["mine.000", "mine.003", "mine.006", "mine.009"]);
  const { body } = await send(`${runnel.url}/topics?limit=1000`, {
    headers: bearer(await token({ manage: true })),
  });
  assert.equal((body.topics as unknown[]).length, 120);
  const nothing = await send(`${runnel.url}/topics`, {
    headers: bearer(await token({ publish: ["**"] })),
  });
  assert.deepEqual(nothing.body, { topics: [] });
});

Deno.test("a reply needs the right to have got the request, not the address alone", async () => {
  await using runnel = await startRunnel({ env });
  const all = bearer(await token(ALL));
  const asking = send(`${runnel.url}/request`, {
    json: { topic: "orders.eu", data: "?", timeoutMs: 20_000 },
    headers: all,
  });
  const { body } = await send(`${runnel.url}/subscribe/orders.eu?since=earliest&limit=1`, {
    headers: { ...all, accept: "application/x-ndjson" },
  });
  const message = String(body.text).split("\n").map((line) => line === "" ? {} : JSON.parse(line))
    .find(({ replyTo }) => replyTo !== undefined);
  const { replyTo } = message;
  const reply = async (grants: Grants) =>
    (await send(`${runnel.url}/reply`, {
      json: { replyTo, data: "!" },
      headers: bearer(await token(grants)),
    })).status;
  assert.equal(await reply({ publish: ["**"] }), 403);
  assert.equal(await reply({ subscribe: ["other"], consume: ["orders.us"] }), 403);
  assert.equal(await reply({ subscribe: ["orders.*"] }), 202);
  assert.equal((await asking).body.data, "!");
});

Deno.test("cancelling what is kept for later needs the right to publish it, not the token alone", async () => {
  await using runnel = await startRunnel({ env });
  const { body } = await send(`${runnel.url}/publish`, {
    json: { topic: "orders.eu", data: 1, delayMs: 600_000 },
    headers: bearer(await token({ publish: ["orders.eu"] })),
  });
  const scheduled = (body.scheduled as { token: string }).token;
  const cancel = async (grants: Grants) =>
    (await send(`${runnel.url}/scheduled/${scheduled}`, {
      method: "DELETE",
      headers: bearer(await token(grants)),
    })).status;
  assert.equal(await cancel({ subscribe: ["**"], publish: ["orders.us"] }), 403);
  assert.equal(await cancel({ publish: ["orders.*"] }), 204);
  assert.equal(await cancel({ publish: ["orders.us"] }), 404);
});
