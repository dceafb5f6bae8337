/** Further arguments of redis-server for the benchmarks. */

/** Rewriting its file would fall on whoever is measured just then. */
export const NO_REWRITE: readonly string[] = ["--auto-aof-rewrite-percentage", "0"];

/** It logs each command that takes a tenth of a millisecond or more. */
export const LOG_SLOW: readonly string[] = [
  ...["--slowlog-log-slower-than", "100"],
  ...["--slowlog-max-len", "100000"],
];
