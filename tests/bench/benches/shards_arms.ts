/** The deployments that `shards` compares: one Redis, several, a Cluster, each with a Runnel of its own. */
import { startTopology } from "../../../lib/cli/topology/start_topology.ts";
import type { Topology, TopologyName } from "../../../lib/cli/topology/topology.ts";
import { type ServerProcess, startServer } from "../../_support/server.ts";
import type { Reading } from "../cost.ts";
import { type CountMessages, takeReading } from "../reading.ts";
import { NO_REWRITE } from "../redis_flags.ts";
import { RedisGauge } from "../redis_gauge.ts";

/** How many partitions each deployment has, but for the first. */
export const PARTITIONS = 16;

/** What is compared, in the order in which it is measured. */
export const DEPLOYMENTS = {
  "one Redis, 1 partition": { name: "single", shards: 1, partitions: 1 },
  "one Redis, 16 partitions": { name: "single", shards: 1, partitions: PARTITIONS },
  "2 shards": { name: "shards", shards: 2, partitions: PARTITIONS },
  "4 shards": { name: "shards", shards: 4, partitions: PARTITIONS },
  "Cluster of 3": { name: "cluster", shards: 3, partitions: PARTITIONS },
} as const satisfies Record<string, Deployment>;

interface Deployment {
  readonly name: TopologyName;
  readonly shards: number;
  readonly partitions: number;
}

/** The name of a deployment. */
export type ArmName = keyof typeof DEPLOYMENTS;

// a snapshot would fall on whoever is measured just then, as a rewrite would
const QUIET = [...["--save", ""], ...NO_REWRITE];
// few enough that each topic is full, and is trimmed with every commit, before anything is measured
const ENV = { RUNNEL_MAX_MESSAGES: "200", LOG_LEVEL: "silent" };

/** One deployment that runs. Disposing it ends it. */
export class Arm implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #gauges: readonly RedisGauge[];
  readonly #server: ServerProcess;

  private constructor(
    stack: AsyncDisposableStack,
    parts: { gauges: readonly RedisGauge[]; server: ServerProcess },
  ) {
    this.#stack = stack;
    this.#gauges = parts.gauges;
    this.#server = parts.server;
  }

  /** Starts the Redis servers and a Runnel. */
  static async start({ name, shards, partitions }: Deployment): Promise<Arm> {
    await using stack = new AsyncDisposableStack();
    const topology = stack.use(await startTopology(name, { shards, args: QUIET }));
    await stopReplicas(topology);
    const gauges = topology.servers
      .filter(({ part }) => part === "primary")
      .map(({ server }) => stack.use(new RedisGauge(server.port)));
    const env = { ...ENV, ...topology.env, RUNNEL_PARTITIONS: `${partitions}` };
    const server = stack.use(await startServer({ env }));
    return new Arm(stack.move(), { gauges, server });
  }

  /** Runnel's port. */
  get port(): number {
    return this.#server.port;
  }

  /** What was counted up to now; `count` counts on the side of the load. */
  async read(count: CountMessages): Promise<Reading> {
    return await takeReading({ gauges: this.#gauges, pid: this.#server.pid }, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

// the other deployments have no copies: what copies cost is not what shards cost
async function stopReplicas({ servers }: Topology): Promise<void> {
  for (const { part, server } of servers) if (part === "replica") await server.stop();
}
