import { sleep } from "../_support/until.ts";

const TOPICS = [
  ...["orders.eu", "orders.us", "orders.asia", "payments", "chat.general"],
  ...["sensors/hall-1", "sensors/hall-2", "mail", "audit", "topic1"],
];
const NAMES = ["Ada", "Grace", "Linus", "Margaret"];
const TYPES = ["order-placed", "order-paid", "order-shipped"];

/** Uses a Runnel as a small shop would, until it is disposed: publishers, subscribers, and a group with one consumer. */
export function use(url: string): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const post = async (path: string, json: unknown) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(json);
    return await (await fetch(`${url}/${path}`, { method: "POST", headers, body })).json();
  };
  const subscribe = async (topic: string) => {
    try {
      const { body } = await fetch(`${url}/subscribe?topic=${topic}`, { signal });
      for await (const _ of body ?? []);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const publish = async () => {
    for (let n = 0; !signal.aborted; n++) {
      // the first ones are used most
      const topic = TOPICS[Math.floor(Math.random() * Math.random() * TOPICS.length)] ?? "";
      await post("publish", { topic, ...contentOf(topic, n) });
      await sleep(4 + (1 + Math.sin(Date.now() / 9_000)) * 14);
    }
  };
  const work = async () => {
    const group = { topic: "mail", group: "mailers" };
    while (!signal.aborted) {
      const json = { ...group, consumer: "worker-1", max: 3, waitMs: 1_000, since: "earliest" };
      const { messages = [] } = await post("pull", json);
      await sleep(1_500);
      const ids = messages.map(({ id }: { id: string }) => id);
      if (ids.length > 0) await post("ack", { ...group, ids });
    }
  };
  const patterns = ["orders.*", "orders.eu", "sensors/*", "**", "chat.general"];
  const all = [...patterns.map(subscribe), publish(), work()];
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(all);
    },
  };
}

function contentOf(topic: string, n: number): Record<string, unknown> {
  if (topic.startsWith("sensors")) {
    return { data: { celsius: 20 + Math.round(Math.random() * 40) / 10 } };
  }
  if (topic === "topic1") return { data: "Hello" };
  if (topic.startsWith("chat")) return { data: `Good morning, number ${n}` };
  const data = {
    order: 4_000 + n,
    customer: { id: n % 17, name: NAMES[n % NAMES.length] },
    total: Math.round(Math.random() * 10_000) / 100,
    items: [{ sku: `A-${n % 9}`, count: 1 + n % 3 }],
  };
  return topic.startsWith("orders")
    ? { type: TYPES[n % TYPES.length], key: `customer-${n % 17}`, data }
    : { data };
}
