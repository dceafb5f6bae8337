/**
 * Socket.IO with its Redis streams adapter: `POST /publish` emits the body to every client, which the adapter first adds to
 * its stream. Prints its port. Arguments: the folder with node_modules, the address of Redis.
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const [packages, redisUrl] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const { Redis } = load("ioredis");
const { Server } = load("socket.io");
const { createAdapter } = load("@socket.io/redis-streams-adapter");

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  io.emit("message", JSON.parse(text));
  response.writeHead(202, { "content-length": 0 }).end();
});
const io = new Server(server, {
  transports: ["websocket"],
  serveClient: false,
  adapter: createAdapter(new Redis(redisUrl)),
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(server.address().port);
});
