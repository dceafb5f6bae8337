/**
 * The least that could do the job without Redis: what Runnel is measured against. Prints its port.
 * `POST /echo` parses JSON and answers it; `POST /publish` hands `data` to every open `GET /subscribe`;
 * `POST /hold` is never answered, and `GET /held` tells how many of those there were.
 */
const encoder = new TextEncoder();
const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
let sequence = 0;
let held = 0;

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/subscribe") return subscribe();
  if (pathname === "/held") return Response.json(held);
  if (request.method !== "POST") return new Response("ok");
  const message = await request.json();
  if (pathname === "/hold") return await hold(request);
  if (pathname === "/publish") return publish(message);
  return Response.json(message);
}

function publish(message: { topic: string; data: unknown }): Response {
  const id = `${Date.now()}-${sequence++}`;
  const data = JSON.stringify({ id, time: new Date().toISOString(), ...message });
  const bytes = encoder.encode(`id: ${id}\ndata: ${data}\n\n`);
  for (const stream of streams) stream.enqueue(bytes);
  return Response.json({ id, topic: message.topic, duplicate: false });
}

/** Waits for the client to go. */
async function hold({ signal }: Request): Promise<Response> {
  held++;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return new Response();
}

function subscribe(): Response {
  let own: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      own = controller;
      streams.add(controller);
      controller.enqueue(encoder.encode(": open\n\n"));
    },
    cancel() {
      if (own) streams.delete(own);
    },
  });
  const headers = { "content-type": "text/event-stream", "cache-control": "no-cache" };
  return new Response(body, { headers });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, handle);
