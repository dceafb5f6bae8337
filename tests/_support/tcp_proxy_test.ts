import assert from "node:assert/strict";
import { startProxy, type TcpProxy } from "./tcp_proxy.ts";
import { deadline, until } from "./until.ts";

/** A server that answers every chunk with `<chunk>!` and keeps what it got. */
function startEcho() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const open = new Set<Deno.Conn>();
  const serve = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(1024);
    for (let size; (size = await connection.read(buffer)) !== null;) {
      received.push(decode(buffer.subarray(0, size)));
      await connection.write(encode(`${received.at(-1)}!`));
    }
  };
  const running = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      serve(connection).catch(() => {}).finally(() => {
        open.delete(connection);
        connection.close();
      });
    }
  })();
  return {
    port: listener.addr.port,
    received,
    async [Symbol.asyncDispose]() {
      listener.close();
      await running;
      await until(() => open.size === 0, { what: "the echo's connections to end" });
    },
  };
}

async function dial(proxy: TcpProxy) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  const read = async (): Promise<string | null> => {
    const buffer = new Uint8Array(1024);
    // A reset is as good an end as an orderly one.
    const size = await deadline(connection.read(buffer).catch(() => null), 2_000, "bytes");
    return size === null ? null : decode(buffer.subarray(0, size));
  };
  const write = (text: string) => connection.write(encode(text));
  return { read, write, [Symbol.dispose]: () => connection.close() };
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("startProxy() passes bytes in both directions", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using client = await dial(proxy);
  await client.write("a");
  assert.equal(await client.read(), "a!");
  assert.deepEqual([proxy.accepted, proxy.connections, proxy.cuts], [1, 1, 0]);
});

Deno.test("cutAll() ends open connections and lets new ones in", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using before = await dial(proxy);
  await before.write("a");
  await before.read();
  proxy.cutAll();
  assert.equal(await before.read(), null);
  using after = await dial(proxy);
  await after.write("b");
  assert.equal(await after.read(), "b!");
});

Deno.test("down() refuses connections until up()", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  proxy.down();
  // whoever may have taken the port meanwhile is not the proxy
  const stranger = Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await stranger.then((connection) => connection.close(), () => {});
  assert.equal(proxy.accepted, 0);
  proxy.up();
  using client = await dial(proxy);
  await client.write("a");
  assert.equal(await client.read(), "a!");
});

Deno.test("stall() holds bytes without a reset and unstall() delivers them late", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using client = await dial(proxy);
  await client.write("a");
  await client.read();
  proxy.stall();
  await client.write("b");
  const reply = client.read();
  using other = await dial(proxy);
  await other.write("c");
  assert.deepEqual(echo.received, ["a"]);
  proxy.unstall();
  assert.equal(await reply, "b!");
  assert.equal(await other.read(), "c!");
});

Deno.test("unstall() delivers what a client sent before it gave up", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  {
    using client = await dial(proxy);
    await client.write("a");
    await client.read();
    proxy.stall();
    await client.write("late");
  }
  proxy.unstall();
  await until(() => echo.received.includes("late"), { what: "the late bytes" });
});

Deno.test("unstall() that forgets leaves the old connections dead and open", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using old = await dial(proxy);
  await old.write("a");
  await old.read();
  proxy.stall();
  proxy.unstall({ forget: true });
  await old.write("b");
  using fresh = await dial(proxy);
  await fresh.write("c");
  assert.equal(await fresh.read(), "c!");
  assert.deepEqual(echo.received, ["a", "c"]);
  const silent = old.read();
  await proxy[Symbol.asyncDispose]();
  assert.equal(await silent, null);
});

Deno.test("forget() takes those that began with what is named", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using one = await dial(proxy);
  await one.write("HELLO ");
  assert.equal(await one.read(), "HELLO !");
  await one.write("SUBSCRIBE");
  assert.equal(await one.read(), "SUBSCRIBE!");
  using other = await dial(proxy);
  await other.write("PING");
  assert.equal(await other.read(), "PING!");
  proxy.forget({ begin: /SUBSCRIBE/ });
  await one.write("lost");
  await other.write("PING");
  assert.equal(await other.read(), "PING!");
  assert.deepEqual(echo.received.includes("lost"), false);
});

Deno.test("swallow() takes those that are there and those that come, until it is disposed", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using old = await dial(proxy);
  await old.write("SUBSCRIBE a");
  assert.equal(await old.read(), "SUBSCRIBE a!");
  const swallowing = proxy.swallow(/SUBSCRIBE/);
  await old.write("lost 1");
  using next = await dial(proxy);
  await next.write("HELLO");
  assert.equal(await next.read(), "HELLO!");
  await next.write("SUBSCRIBE b");
  using other = await dial(proxy);
  await other.write("PING");
  assert.equal(await other.read(), "PING!");
  swallowing[Symbol.dispose]();
  await old.write("lost 2");
  using last = await dial(proxy);
  await last.write("SUBSCRIBE c");
  assert.equal(await last.read(), "SUBSCRIBE c!");
  assert.deepEqual(echo.received, ["SUBSCRIBE a", "HELLO", "PING", "SUBSCRIBE c"]);
});

Deno.test("forget() makes connections dead and leaves out the first ones", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  using first = await dial(proxy);
  await first.write("a");
  assert.equal(await first.read(), "a!");
  using second = await dial(proxy);
  await second.write("b");
  assert.equal(await second.read(), "b!");
  proxy.forget({ but: 1 });
  await second.write("lost");
  await first.write("c");
  assert.equal(await first.read(), "c!");
  assert.deepEqual(echo.received, ["a", "b", "c"]);
});

Deno.test("cutAfterRequest() lets the server execute and loses the reply", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  const { done } = proxy.cutAfterRequest(/EVALSHA/);
  using client = await dial(proxy);
  await client.write("PING");
  assert.equal(await client.read(), "PING!");
  await client.write("EVALSHA 1");
  assert.equal(await client.read(), null);
  await deadline(done, 1_000, "the cut");
  assert.deepEqual(echo.received, ["PING", "EVALSHA 1"]);
  using again = await dial(proxy);
  await again.write("EVALSHA 2");
  assert.equal(await again.read(), "EVALSHA 2!");
});

Deno.test("cutAfterRequest() finds a pattern that two chunks share", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  proxy.cutAfterRequest(/EVALSHA/);
  using client = await dial(proxy);
  await client.write("EVA");
  assert.equal(await client.read(), "EVA!");
  await client.write("LSHA");
  assert.equal(await client.read(), null);
  assert.deepEqual(echo.received, ["EVA", "LSHA"]);
});

Deno.test("cutAtRandom() cuts again and again until disposed", async () => {
  await using echo = startEcho();
  await using proxy = startProxy(echo);
  {
    using _cuts = proxy.cutAtRandom({ seed: 7, chance: 0.3 });
    for (let round = 0; round < 30; round++) {
      using client = await dial(proxy);
      await client.write("ab");
      await client.read();
    }
  }
  assert.ok(proxy.cuts > 3, `${proxy.cuts} cuts`);
  using client = await dial(proxy);
  await client.write("a");
  assert.equal(await client.read(), "a!");
});
