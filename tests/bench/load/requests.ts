/** The closed loop of requests. */
import { HttpSocket, postBytes } from "./http_socket.ts";
import type { RateResult, RequestPlan } from "./plan.ts";
import { sleep } from "../../_support/until.ts";

/** Requests that several connections send as fast as they are answered. */
export class RequestLoop implements AsyncDisposable {
  count = 0;
  failures = 0;
  #stopped = false;
  #running: Promise<void>[] = [];

  /** Starts the connections; each begins at another of the requests, as far apart as these allow. */
  start(port: number, { requests, connections }: RequestLoopOptions): void {
    this.#running = Array.from({ length: connections }, async (_, index) => {
      using socket = await HttpSocket.connect(port);
      const first = Math.max(index, Math.floor(index * requests.length / connections));
      for (let turn = first; !this.#stopped; turn++) {
        const request = requests[turn % requests.length];
        if (!request) throw new RangeError("Cannot send requests: there are none");
        const status = await socket.exchange(request);
        this.count++;
        if (status < 200 || status > 299) this.failures++;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
}

/** Options of {@link RequestLoop.start}. */
export interface RequestLoopOptions {
  readonly requests: readonly Uint8Array[];
  readonly connections: number;
}

/** Answered requests in the time after the warm-up. */
export async function measureRequests(plan: RequestPlan): Promise<RateResult> {
  const { bodies, headers = [""] } = plan;
  const requests = headers.flatMap((header) =>
    bodies.map((body) => postBytes(plan.path, body, header))
  );
  await using loop = new RequestLoop();
  loop.start(plan.port, { requests, connections: plan.connections });
  return await measureRate(plan, () => loop);
}

/** How much a counter grows in the measured time. */
export async function measureRate(
  { warmUpSeconds, seconds }: { warmUpSeconds: number; seconds: number },
  read: () => { count: number; failures: number },
): Promise<RateResult> {
  await sleep(warmUpSeconds * 1000);
  const { count: before } = read();
  const start = performance.now();
  await sleep(seconds * 1000);
  const { count, failures } = read();
  return { count: count - before, seconds: (performance.now() - start) / 1000, failures };
}
