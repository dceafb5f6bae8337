/** The closed loop of requests. */
import { watchEffort } from "./effort.ts";
import { HttpSocket, postBytes } from "./http_socket.ts";
import type { LoadedRate, RequestPlan } from "./plan.ts";
import { sleep } from "../../_support/until.ts";

/** Requests that several connections send as fast as they are answered. */
export class RequestLoop implements AsyncDisposable {
  count = 0;
  failures = 0;
  #stopped = false;
  #running: Promise<void>[] = [];

  /** Starts the connections; each begins at another of the requests, as far apart as these allow. */
  start(port: number, { requests, connections, pipeline = 1 }: RequestLoopOptions): void {
    const writes = requests.map((request) => repeat(request, pipeline));
    this.#running = Array.from({ length: connections }, async (_, index) => {
      using socket = await HttpSocket.connect(port);
      const first = Math.max(index, Math.floor(index * requests.length / connections));
      for (let turn = first; !this.#stopped; turn++) {
        const write = writes[turn % writes.length];
        if (!write) throw new RangeError("Cannot send requests: there are none");
        this.failures += await socket.pipeline(write, pipeline);
        this.count += pipeline;
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
  /** How often a request is sent in one write, all of them answered before the next. @default 1 */
  readonly pipeline?: number;
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let n = 0; n < times; n++) all.set(bytes, n * bytes.length);
  return all;
}

/** Answered requests in the time after the warm-up. */
export async function measureRequests(plan: RequestPlan): Promise<LoadedRate> {
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
): Promise<LoadedRate> {
  await sleep(warmUpSeconds * 1000);
  const { count: before } = read();
  const effort = watchEffort();
  await sleep(seconds * 1000);
  const { count, failures } = read();
  return { count: count - before, failures, ...effort() };
}
