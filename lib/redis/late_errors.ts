import type { Redis } from "ioredis";

/**
 * Keeps a second error of one socket from ending the process. The client listens for the first only, and a TLS socket
 * under Deno can emit two: where the certificate has another name and Redis sends an alert too, or where a write fails
 * with EPIPE after the alert. The first is the reason, and the client tells of it.
 */
export function tolerateLateErrors(client: Redis): void {
  const listen = () => {
    client.stream?.off("error", ignore);
    client.stream?.on("error", ignore);
  };
  client.on("connect", listen);
  client.on("error", listen);
}

function ignore(): void {}
