/** A group of Runnel as a queue. */
import { workData } from "../message.ts";
import { HttpSocket } from "./http_socket.ts";
import type { WorkOptions, WorkQueue } from "./work.ts";

const TOPIC = "bench.work";
const GROUP = "bench";
const BATCH = 500;

interface Pulled {
  readonly lease: string | null;
  readonly messages: readonly { readonly id: string; readonly data: { readonly n: number } }[];
  readonly more: boolean;
}

interface Description {
  readonly groups: readonly { readonly lag: number; readonly pending: number }[];
}

/** Makes a topic and its group, on the server of this port. */
export async function openRunnelQueue(port: number): Promise<WorkQueue> {
  const socket = await HttpSocket.connect(port);
  const path = `/topics/${TOPIC}/groups/${GROUP}`;
  await socket.ask(path, { since: "earliest" }, "PUT");
  return {
    async fill(count) {
      for (let from = 0; from < count; from += BATCH) {
        const size = Math.min(BATCH, count - from);
        const messages = Array.from({ length: size }, (_, index) => ({
          topic: TOPIC,
          data: workData(from + index),
        }));
        await socket.ask("/batch", messages);
      }
    },
    async work(options) {
      const consumers = Array.from({ length: options.consumers }, (_, n) => consume(n));
      await Promise.all(consumers);

      async function consume(n: number): Promise<void> {
        using own = await HttpSocket.connect(port);
        await pullAndAck(own, { ...options, consumer: `consumer-${n}` });
      }
    },
    async left() {
      const { groups } = await socket.ask<Description>(`/topics/${TOPIC}`, undefined, "GET");
      return groups.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
    },
    async [Symbol.asyncDispose]() {
      await socket.ask(path, undefined, "DELETE");
      await socket.ask(`/topics/${TOPIC}`, undefined, "DELETE");
      socket[Symbol.dispose]();
    },
  };
}

async function pullAndAck(
  socket: HttpSocket,
  { consumer, batch, ledger }: WorkOptions & { readonly consumer: string },
): Promise<void> {
  const pull = { topic: TOPIC, group: GROUP, consumer, max: batch };
  while (true) {
    const { lease, messages, more } = await socket.ask<Pulled>("/pull", pull);
    if (messages.length === 0 && !more) return;
    for (const { data } of messages) ledger.take(data.n);
    const ids = messages.map(({ id }) => id);
    const ack = { topic: TOPIC, group: GROUP, ids, lease };
    const { done } = await socket.ask<{ done: number }>("/ack", ack);
    ledger.acknowledge(done);
  }
}
