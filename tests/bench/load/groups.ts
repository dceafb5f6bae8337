/** Groups of publishers side by side, and how long each waited for its answers. */
import { HttpSocket, postBytes } from "./http_socket.ts";
import type { GroupsPlan, GroupsResult, PublisherGroup } from "./plan.ts";
import { sleep } from "../../_support/until.ts";

/** Latencies of the requests that were answered after the warm-up. */
export async function measureGroups(plan: GroupsPlan): Promise<GroupsResult> {
  const run = new Run();
  const running = plan.groups.map((group) => run.start(plan.port, group));
  await sleep(plan.warmUpSeconds * 1000);
  const start = performance.now();
  run.phase = "measured";
  await sleep(plan.seconds * 1000);
  run.phase = "over";
  const seconds = (performance.now() - start) / 1000;
  const latenciesMs = await Promise.all(running);
  return { seconds, latenciesMs, failures: run.failures };
}

class Run {
  phase: "warm-up" | "measured" | "over" = "warm-up";
  failures = 0;

  /** Resolves with the group's latencies when the run is over. */
  async start(port: number, { connections, bodies }: PublisherGroup): Promise<number[]> {
    const requests = bodies.map((body) => postBytes("/publish", body));
    const latencies: number[] = [];
    await Promise.all(Array.from({ length: connections }, async (_, index) => {
      using socket = await HttpSocket.connect(port);
      for (let turn = index; this.phase !== "over"; turn++) {
        const start = performance.now();
        await this.#send(socket, requests[turn % requests.length]);
        if (this.phase === "measured") latencies.push(performance.now() - start);
      }
    }));
    return latencies.sort((a, b) => a - b);
  }

  async #send(socket: HttpSocket, request: Uint8Array | undefined): Promise<void> {
    if (!request) throw new RangeError("Cannot send requests: there are none");
    const status = await socket.exchange(request);
    if (status < 200 || status > 299) this.failures++;
  }
}
