/** One real use of each function of functions/, over HTTP. */
import assert from "node:assert/strict";
import { send } from "./http.ts";
import type { Runnel } from "./open_runnel.ts";
import type { ServerProcess } from "./server.ts";
import { openStream } from "./sse.ts";

/** One real use of each function. What it needs from others, a Runnel of the test's own does on the same Redis. */
export const USES: Readonly<Record<string, (use: Use) => Promise<void>>> = {
  async publish({ url, topic }) {
    const { status, body } = await send(`${url}/publish/${topic}`, { method: "POST", body: "x" });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.topic, topic);
  },
  async batch({ url, topic }) {
    const { status, body } = await send(`${url}/batch`, { json: [{ topic, data: 1 }] });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.accepted, 1);
  },
  async subscribe({ url, topic, other }) {
    await using stream = await openStream(`${url}/subscribe/${topic}`);
    await stream.until(({ event }) => event === "$ready");
    await other("publish", { topic, data: "live" });
    const [message] = await stream.messages(1);
    assert.equal(message?.data, "live");
  },
  async pull({ url, topic, other }) {
    await other("publish", { topic, data: "work" });
    const json = { topic, group: "g", since: "earliest" };
    const { status, body } = await send(`${url}/pull`, { json });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(Array.isArray(body.messages) && body.messages.length, 1);
  },
  async ack({ url, topic, other }) {
    const { body: { id } } = await other("publish", { topic, data: "work" });
    await other("pull", { topic, group: "g", since: "earliest" });
    const { status, body } = await send(`${url}/ack`, { json: { topic, group: "g", ids: [id] } });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.done, 1);
  },
  async request({ url, topic, other }) {
    const asked = send(`${url}/request`, { json: { topic, data: "?", timeoutMs: 20_000 } });
    const { status } = await other("reply", { replyTo: await replyTo(topic, other), data: "!" });
    assert.equal(status, 202);
    const { body } = await asked;
    assert.equal(body.data, "!", JSON.stringify(body));
  },
  async reply({ url, topic, other }) {
    const asked = other("request", { topic, data: "?", timeoutMs: 20_000 });
    const json = { replyTo: await replyTo(topic, other), data: "!" };
    assert.equal((await send(`${url}/reply`, { json })).status, 202);
    assert.equal((await asked).body.data, "!");
  },
  async topics({ url, topic, other }) {
    await other("publish", { topic, data: 1 });
    const { status, body } = await send(`${url}/topics/${topic}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.messages, 1);
  },
  async groups({ url, topic }) {
    const options = { method: "PUT", json: { maxDeliveries: 2 } };
    const { status, body } = await send(`${url}/topics/${topic}/groups/g`, options);
    assert.equal(status, 200, JSON.stringify(body));
  },
  async scheduled({ url, topic, other }) {
    const { body } = await other("publish", { topic, data: 1, delayMs: 3_600_000 });
    const { token } = body.scheduled as { token: string };
    const { status } = await send(`${url}/scheduled/${token}`, { method: "DELETE" });
    assert.equal(status, 204);
  },
  async token({ url, topic }) {
    const { status, body } = await send(`${url}/token`, { json: { subscribe: [topic] } });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(typeof body.ticket, "string");
  },
  async client({ url }) {
    const response = await fetch(`${url}/client.js`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /createClient/);
  },
  async health({ url }) {
    const { status, body } = await send(`${url}/health/ready`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.status, "ready");
  },
  async metrics({ url, topic, other }) {
    await other("publish", { topic, data: 1 });
    const response = await fetch(`${url}/metrics`);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.match(text, /^runnel_redis_up\{shard="1"\} 1$/m);
  },
  async openapi({ url }) {
    const { status, body } = await send(`${url}/openapi.json`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.openapi, "3.1.1");
  },
  async docs({ url }) {
    const response = await fetch(`${url}/docs/how_it_works`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /<h1 id="how-runnel-works">/);
  },
  async console({ url }) {
    const response = await fetch(`${url}/console`);
    assert.equal(response.status, 200);
    const script = /src="(console[^"]+)"/.exec(await response.text())?.[1];
    const { status, body } = await send(`${url}/${script}`);
    assert.equal(status, 200, JSON.stringify(body));
  },
  async main(use) {
    for (const name of Object.keys(USES).filter((name) => name !== "main")) {
      await USES[name]?.({ ...use, topic: `${use.topic}.${name}` });
    }
  },
};

/** What a use works with. */
export interface Use {
  /** Where the function is. */
  readonly url: string;
  /** A topic of this use's own. */
  readonly topic: string;
  /** Sends JSON to another Runnel. */
  other(path: string, json: unknown): ReturnType<typeof send>;
}

async function replyTo(topic: string, other: Use["other"]): Promise<unknown> {
  const json = { topic, group: "answerers", since: "earliest", waitMs: 20_000 };
  const { body } = await other("pull", json);
  const [message] = body.messages as { replyTo: string }[];
  return message?.replyTo;
}

/** A use of the function that `server` serves; `runnel` is the other one. */
export function useOf(name: string, server: ServerProcess, runnel: Runnel): Use {
  return {
    url: server.url,
    topic: `of.${name}`,
    other: (path, json) => send(`${runnel.url}/${path}`, { json }),
  };
}
