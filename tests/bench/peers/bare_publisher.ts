/**
 * The least that stores what is published over HTTP: what somebody would write in ten lines. Prints its port; its
 * argument is the port of Redis. Nothing is checked, and a message that is sent again is stored again.
 */
import { Redis } from "ioredis";

const redis = new Redis(Number(Deno.args[0]), "127.0.0.1");

async function publish(request: Request): Promise<Response> {
  const { topic, data } = await request.json();
  const id = await redis.xadd(topic, "MAXLEN", "~", 100_000, "*", "d", JSON.stringify(data));
  return Response.json({ id, topic, duplicate: false });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, publish);
