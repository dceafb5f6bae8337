/** Many subscribers of one topic while publishers run at full speed. */
import { postBytes } from "./http_socket.ts";
import { marksIn } from "./marks.ts";
import type { FanOutPlan, RateResult } from "./plan.ts";
import { measureRate, RequestLoop } from "./requests.ts";
import { openStreams } from "./streams.ts";

/** Messages that arrived at all subscribers together in the time after the warm-up. */
export async function measureFanOut(plan: FanOutPlan): Promise<RateResult> {
  let count = 0;
  const onBytes = (bytes: Uint8Array) => count += marksIn(bytes);
  await using _streams = await openStreams(plan.port, {
    path: plan.streamPath,
    count: plan.subscribers,
    onBytes,
  });
  await using _slow = await openStreams(plan.port, {
    path: plan.streamPath,
    count: plan.slow ?? 0,
    slow: true,
  });
  await using loop = new RequestLoop();
  const requests = [postBytes(plan.publishPath, plan.body)];
  loop.start(plan.port, { requests, connections: plan.publishers });
  return await measureRate(plan, () => ({ count, failures: loop.failures }));
}
