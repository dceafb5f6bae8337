/** What making the load takes. */
import process from "node:process";

/** Time that passed, and what the load process did meanwhile. */
export interface Effort {
  readonly seconds: number;
  /** Seconds of CPU time that the load process used in these seconds. */
  readonly cpuSeconds: number;
}

/** Begins to watch; what it returns tells the effort since then. */
export function watchEffort(): () => Effort {
  const start = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}
