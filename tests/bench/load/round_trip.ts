/** Requests and their replies: so many requesters, each sending the next when it has its reply. */
import { Redis } from "ioredis";
import { workData } from "../message.ts";
import { watchEffort } from "./effort.ts";
import { HttpSocket, postBytes } from "./http_socket.ts";
import type { LatencyResult, RoundTripPlan, RoundTripSystem } from "./plan.ts";
import { Readers } from "./readers.ts";
import { SocketPool } from "./socket_pool.ts";
import { openStreams } from "./streams.ts";

const GROUP = "bench";
const QUEUE = "bench:requests";
const MAX_RESPONDERS = 16;

/** Sends the n-th request and gives the number that came back. */
type Requester = (n: number) => Promise<number>;

/** A responder that runs, and what asks it; disposing it stops both. */
interface Exchange extends AsyncDisposable {
  readonly requesters: readonly Requester[];
  /** The value of what is done while the responder runs. @throws {Error} when it is cut off */
  during<T>(work: Promise<T>): Promise<T>;
}

const SYSTEMS: Readonly<Record<RoundTripSystem, (plan: RoundTripPlan) => Promise<Exchange>>> = {
  subscriber: (plan) => openRunnel(plan, "topic=bench.request"),
  // A topic of its own: the group would get what the subscribers' requests left in it.
  group: (plan) => openRunnel(plan, `topic=bench.group-request&group=${GROUP}&max=100`),
  list: openList,
};

/** From a request to its reply, after the warm-up. @throws {Error} when a reply is not the request's own. */
export async function measureRoundTrips(plan: RoundTripPlan): Promise<LatencyResult> {
  await using exchange = await SYSTEMS[plan.system](plan);
  const effort = watchEffort();
  const start = performance.now() + plan.warmUpSeconds * 1000;
  const end = start + plan.seconds * 1000;
  const latenciesMs: number[] = [];
  let sent = 0;
  const asking = exchange.requesters.map(async (request) => {
    for (let now = performance.now(); now < end;) {
      const n = sent++;
      const came = await request(n);
      if (came !== n) throw new Error(`Cannot measure: request ${n} got the reply to ${came}`);
      const then = performance.now();
      if (now >= start) latenciesMs.push(then - now);
      now = then;
    }
  });
  await exchange.during(Promise.all(asking));
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), sent, ...effort() };
}

/** A request as a responder gets it; the lease is there when it came from a group. */
interface RequestMessage {
  readonly id: string;
  readonly replyTo: string;
  readonly data: unknown;
  readonly lease?: string;
}

async function openRunnel({ port, inFlight }: RoundTripPlan, query: string): Promise<Exchange> {
  const topic = new URLSearchParams(query).get("topic") ?? "";
  const pool = await SocketPool.open(port);
  const reply = ({ id, replyTo, data, lease }: RequestMessage) => {
    pool.send(postBytes("/reply", JSON.stringify({ replyTo, data })));
    if (lease === undefined) return;
    pool.send(postBytes("/ack", JSON.stringify({ topic, group: GROUP, ids: [id], lease })));
  };
  const path = `/subscribe?${query}`;
  const readers = new Readers();
  await openStreams(readers, port, { path, count: 1, onBytes: eachMessage(reply) });
  const sockets = await Promise.all(
    Array.from({ length: inFlight }, () => HttpSocket.connect(port)),
  );
  return {
    requesters: sockets.map((socket) => async (n) => {
      const request = { topic, data: workData(n) };
      const { data } = await socket.ask<{ data: { n: number } }>("/request", request);
      return data.n;
    }),
    during: (work) => readers.during(work),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await readers[Symbol.asyncDispose]();
      for (const socket of sockets) socket[Symbol.dispose]();
    },
  };
}

/** Reads the messages that ask for a reply out of the bytes of an event stream. */
function eachMessage(onMessage: (message: RequestMessage) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder();
  let text = "";
  return (bytes) => {
    text += decoder.decode(bytes, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    for (const [, data = ""] of text.slice(0, end).matchAll(/^data: (.*"replyTo".*)\n/gm)) {
      onMessage(JSON.parse(data));
    }
    text = text.slice(end);
  };
}

async function openList({ port, inFlight }: RoundTripPlan): Promise<Exchange> {
  const clients: Redis[] = [];
  const connect = () => {
    const client = new Redis(port, "127.0.0.1");
    clients.push(client);
    return client;
  };
  const sender = connect();
  for (let n = 0; n < Math.min(inFlight, MAX_RESPONDERS); n++) void respond(connect(), sender);
  const requesters = Array.from({ length: inFlight }, (_, index): Requester => {
    const redis = connect();
    const replyTo = `bench:reply:${index}`;
    return async (n) => {
      // Both on one connection, without a pause between them.
      void redis.lpush(QUEUE, JSON.stringify({ replyTo, data: workData(n) }));
      const reply = await redis.brpop(replyTo, 0);
      return JSON.parse(reply?.[1] ?? "null").n;
    };
  });
  await sender.ping();
  return {
    requesters,
    during: (work) => work,
    [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      return Promise.resolve();
    },
  };
}

async function respond(redis: Redis, sender: Redis): Promise<void> {
  try {
    while (true) {
      const request = await redis.brpop(QUEUE, 0);
      const { replyTo, data } = JSON.parse(request?.[1] ?? "null");
      void sender.lpush(replyTo, JSON.stringify(data));
    }
  } catch {
    // The connection was closed under the wait, which is how a responder ends here.
  }
}
