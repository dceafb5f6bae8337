/** A log that tests can look into. */
import { createLogger, type Logger } from "../../lib/log.ts";

/** A logger of all levels, and the lines it wrote. */
export interface MemoryLog {
  readonly log: Logger;
  readonly lines: readonly string[];
}

/** Opens a log that keeps its lines to itself. */
export function memoryLog(): MemoryLog {
  const lines: string[] = [];
  return { log: createLogger({ level: "debug", write: (line) => void lines.push(line) }), lines };
}
