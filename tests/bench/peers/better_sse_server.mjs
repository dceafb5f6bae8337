/**
 * better-sse on Redis Pub/Sub, as people write it: `POST /publish` publishes the body to Redis, one subscription brings it
 * back, and the channel broadcasts it to every `GET /subscribe`. Prints its port.
 * Arguments: the folder with node_modules, the address of Redis.
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const [packages, redisUrl] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const { createChannel, createSession } = load("better-sse");
const { Redis } = load("ioredis");

const publisher = new Redis(redisUrl);
const subscriber = new Redis(redisUrl);
const channel = createChannel();

subscriber.on("message", (_, text) => channel.broadcast(JSON.parse(text)));
await subscriber.subscribe("bench");

const server = createServer(async (request, response) => {
  if (request.url === "/subscribe") {
    const session = await createSession(request, response);
    channel.register(session);
    return;
  }
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  try {
    await publisher.publish("bench", text);
    response.writeHead(202, { "content-length": 0 }).end();
  } catch (error) {
    console.error(error);
    response.writeHead(503, { "content-length": 0 }).end();
  }
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(server.address().port);
});
