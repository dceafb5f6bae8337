/** What a chaos run does to its ground. */
import type { TopologyName } from "../../lib/cli/topology/topology.ts";
import { sleep } from "../_support/until.ts";
import type { Ground } from "./ground.ts";
import { movePartitions, moveSlots } from "./moves.ts";

/** One kind of fault. */
export interface FaultKind {
  readonly name: string;
  readonly about: string;
  /** Where it can be done; to instances of Runnel it can be done wherever they were started here. */
  readonly on: readonly TopologyName[] | "instances";
  /** Does it and undoes it, as seeded numbers from 0 to 1 say. */
  readonly commit: (stage: FaultStage) => Promise<void>;
}

/** What a fault is done to. */
export interface FaultStage {
  readonly ground: Ground;
  /** What is published to. */
  readonly topics: readonly string[];
  readonly random: () => number;
}

const EVERY: readonly TopologyName[] = ["single", "tls", "shards", "sentinel", "cluster"];
const WITH_REPLICAS: readonly TopologyName[] = ["sentinel", "cluster"];

/** All of them. */
export const FAULTS: readonly FaultKind[] = [
  {
    name: "kill-primary",
    about: "kill -9 a Redis that is written to",
    on: EVERY,
    async commit({ ground, random }) {
      const primary = pick(await ground.data("master"), random);
      await primary.kill9();
      if (ground.failsOver && random() < 0.7) await ground.promotion(primary);
      await sleep(random() * 1_500);
      await primary.restart();
    },
  },
  {
    name: "kill-replica",
    about: "kill -9 a replica",
    on: WITH_REPLICAS,
    async commit({ ground, random }) {
      const replica = pick(await ground.data("slave"), random);
      await replica.kill9();
      await sleep(random() * 2_000);
      await replica.restart();
    },
  },
  {
    name: "lose-tail",
    about:
      "freeze all replicas for a while and kill -9 a primary, so that what is promoted lacks its end",
    on: WITH_REPLICAS,
    async commit({ ground, random }) {
      const replicas = await ground.data("slave");
      const primary = pick(await ground.data("master"), random);
      for (const replica of replicas) replica.pause();
      // else what was sent waits for them in the sockets
      await primary.cli("CLIENT", "KILL", "TYPE", "replica");
      try {
        await sleep(300 + random() * 1_500);
        await primary.kill9();
      } finally {
        for (const replica of replicas) replica.resume();
      }
      await ground.promotion(primary);
      await primary.restart();
    },
  },
  {
    name: "kill-sentinel",
    about: "kill -9 a Sentinel",
    on: ["sentinel"],
    async commit({ ground, random }) {
      const sentinel = pick(ground.servers("sentinel"), random);
      await sentinel.kill9();
      await sleep(random() * 2_000);
      await sentinel.restart();
    },
  },
  {
    name: "freeze-redis",
    about: "SIGSTOP a Redis for up to 8 s, which may be long enough for a failover",
    on: EVERY,
    async commit({ ground, random }) {
      const server = pick(ground.servers("primary", "replica"), random);
      server.pause();
      try {
        await sleep(200 + random() ** 2 * 8_000);
      } finally {
        server.resume();
      }
    },
  },
  {
    name: "cut",
    about: "cut the links of a Redis, all at once and then at random",
    on: EVERY,
    async commit({ ground, random }) {
      const proxy = ground.proxyOf(pick(ground.servers("primary", "replica", "sentinel"), random));
      proxy.cutAll();
      using _cuts = proxy.cutAtRandom({ seed: random() * 2 ** 32, chance: 0.01 });
      await sleep(500 + random() * 1_500);
    },
  },
  {
    name: "stall",
    about: "let nothing pass on the links of a Redis for up to 8 s, and reset none",
    on: EVERY,
    async commit({ ground, random }) {
      const proxy = ground.proxyOf(pick(ground.servers("primary", "replica", "sentinel"), random));
      proxy.stall();
      try {
        await sleep(300 + random() ** 2 * 8_000);
      } finally {
        proxy.unstall({ forget: random() < 0.5 });
      }
    },
  },
  {
    name: "move-slots",
    about: "move slots of a Cluster to another primary",
    on: ["cluster"],
    commit: moveSlots,
  },
  {
    name: "move-partitions",
    about: "spread the partitions over other Redis, the coordinator killed on the way",
    on: ["shards"],
    commit: movePartitions,
  },
  {
    name: "kill-instance",
    about: "kill -9 an instance of Runnel and start another",
    on: "instances",
    async commit({ ground, random }) {
      await pick(ground.instances, random).replace();
    },
  },
  {
    name: "redeploy-instance",
    about: "SIGTERM an instance of Runnel and start another",
    on: "instances",
    async commit({ ground, random }) {
      await pick(ground.instances, random).redeploy();
    },
  },
  {
    name: "freeze-instance",
    about: "SIGSTOP an instance of Runnel for up to 5 s",
    on: "instances",
    async commit({ ground, random }) {
      const instance = pick(ground.instances, random);
      instance.pause();
      try {
        await sleep(200 + random() * 4_800);
      } finally {
        instance.resume();
      }
    },
  },
];

/** The kinds that can be done to a ground. */
export function faultsFor({ name, instances }: Ground): FaultKind[] {
  return FAULTS.filter(({ on }) =>
    on === "instances" ? instances.length > 0 : on.some((one) => one === name)
  );
}

function pick<T>(list: readonly T[], random: () => number): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new RangeError("Cannot pick: there is none");
  return one;
}

/** A command of the user's own, which breaks something and mends it again. */
export function commandFault(line: string): FaultKind {
  return {
    name: "command",
    about: line,
    on: [],
    async commit() {
      const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line] }).output();
      if (!success) throw new Error(`${line} failed: ${new TextDecoder().decode(stderr)}`);
    },
  };
}
