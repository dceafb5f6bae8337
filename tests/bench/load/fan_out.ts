/** Many subscribers of one topic while publishers run at full speed. */
import { postBytes } from "./http_socket.ts";
import { marksIn } from "./marks.ts";
import type { FanOutPlan, LoadedRate } from "./plan.ts";
import { Readers } from "./readers.ts";
import { measureRate, RequestLoop } from "./requests.ts";
import { openSocketIo } from "./socket_io.ts";
import { openStreams } from "./streams.ts";
import { ReadingTurns } from "./turns.ts";

/** Messages that arrived at all subscribers together in the time after the warm-up. */
export async function measureFanOut(plan: FanOutPlan): Promise<LoadedRate> {
  const { port, streamPath: path, subscribers, publishers: connections, pipeline, marksApart } =
    plan;
  let count = 0;
  const counted = { path, count: subscribers, turns: new ReadingTurns() };
  await using readers = new Readers();
  if (plan.streamKind === "sse") {
    const onBytes = (bytes: Uint8Array) => count += marksIn(bytes, marksApart);
    await openStreams(readers, port, { ...counted, onBytes });
  } else {
    await openSocketIo(readers, port, { ...counted, onMessages: (more) => count += more });
  }
  await openStreams(readers, port, { path, count: plan.slow ?? 0, slow: true });
  await using loop = new RequestLoop();
  const requests = [postBytes(plan.publishPath, plan.body)];
  loop.start(port, { requests, connections, pipeline });
  return await readers.during(measureRate(plan, () => ({ count, failures: loop.failures })));
}
