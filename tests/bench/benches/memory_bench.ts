/** Memory of subscribers that wait. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { whileOpen } from "../load_process.ts";
import { residentBytes } from "../machine.ts";
import { startBareServer } from "../peers/bare_process.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const SUBSCRIBERS = 10_000;
const ROUNDS = 3;
/** KB that one may cost, whatever a bare one does. */
const MOST = 14;

/** Growth of the server's resident memory per open, idle stream. */
export const memoryBench: Bench = {
  name: "memory",
  about: `resident memory per idle subscriber (${SUBSCRIBERS} of them), against a bare SSE server`,
  async run(options: BenchOptions): Promise<Row[]> {
    const results = await takeTurns({ ...options, rounds: Math.min(ROUNDS, options.rounds) }, {
      bare: async () => {
        await using bare = await startBareServer();
        return await perSubscriber(bare);
      },
      runnel: async () => {
        await using runnel = await startRunnel();
        return await perSubscriber(runnel);
      },
    });
    const row = {
      unit: "KB",
      runnel: sampleOf(results.runnel),
      baselineName: "bare SSE server",
      baseline: sampleOf(results.bare),
    };
    const name = "memory per idle subscriber";
    return [
      { ...row, name, aim: { ratio: 1.1, better: "lower" } },
      { ...row, name: `${name}, in itself`, aim: { limit: MOST, better: "lower" } },
    ];
  },
};

async function perSubscriber({ port, pid }: { port: number; pid: number }): Promise<number> {
  const plan = { role: "idle", port, streamPath: "/subscribe?topic=idle" } as const;
  // What the first streams make the server load and compile is not theirs.
  await whileOpen({ ...plan, subscribers: 200 }, () => Promise.resolve());
  const before = await residentBytes(pid);
  return await whileOpen({ ...plan, subscribers: SUBSCRIBERS }, async () => {
    // Long enough for a garbage collection after the burst of connections.
    await sleep(3_000);
    return (await residentBytes(pid) - before) / SUBSCRIBERS / 1024;
  });
}
