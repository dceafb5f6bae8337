/**
 * How the managed Redis keeps data: every acknowledged write is on disk, and snapshots make the start quick.
 * docker-compose.yml uses the same; a test compares them.
 */
export const PERSISTENCE: readonly string[] = [
  ...["--appendonly", "yes"],
  ...["--appendfsync", "always"],
  ...["--save", "900", "1", "300", "10", "60", "10000"],
];
