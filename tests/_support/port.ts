/** Free ports of the loopback interface. */

// Redis in cluster mode also listens on port + 10000.
const HIGHEST = 55_535;

/**
 * A port that was free a moment ago. Another process can take it before it is used, so whoever binds it must be ready
 * to ask again.
 */
export function freePort(): number {
  while (true) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    if (port <= HIGHEST) return port;
  }
}
