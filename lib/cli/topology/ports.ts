/** Free ports of the loopback interface. */

// Below the ports that the system gives to whoever asks for any: a port that a test closes for a while must not be
// taken by another test's connection meanwhile.
const LOWEST = 10_240;
const HIGHEST = 32_767;

/**
 * A port that was free a moment ago. Another process can take it before it is used, so whoever binds it must be ready
 * to ask again.
 */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Listens on a port from the same range. */
export function listenOnFreePort(): Deno.TcpListener {
  for (;;) {
    try {
      return Deno.listen({ hostname: "127.0.0.1", port: freePort() });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
