import { CliError } from "../cli_error.ts";
import { installPackage } from "../packages.ts";
import type { Terminal } from "../terminal.ts";
import type { Machine } from "./machine.ts";
import { findRedis, OLDEST_REDIS, type RedisBinary, type RedisSearch } from "./redis_binary.ts";

/** Options of {@link provideRedis}. */
export interface ProvideOptions {
  readonly machine: Machine;
  readonly terminal: Terminal;
  /** How to look for the program. @default along PATH */
  readonly find?: () => Promise<RedisSearch>;
}

const WAYS = [
  "Any of these will do:",
  "- Debian, Ubuntu:  sudo apt-get install redis-server",
  "- Fedora:          sudo dnf install valkey",
  "- Alpine, Arch:    apk add valkey, pacman -S valkey",
  "- macOS:           brew install redis",
  "- a container:     docker compose up -d redis",
  "                   REDIS_URL=redis://127.0.0.1:6379 deno task start",
  "- your own Redis:  REDIS_URL=redis://user:password@host:6379 deno task start",
];

/**
 * The redis-server (or valkey-server) of this machine. Where there is none it is installed, by apt as root or with
 * password-less sudo, or by Homebrew; every command that is run is printed.
 *
 * @throws {CliError} that lists the ways, when it cannot be installed.
 */
export async function provideRedis(options: ProvideOptions): Promise<RedisBinary> {
  const { machine, terminal, find = () => findRedis() } = options;
  const first = await find();
  if (first.usable) return first.usable;
  terminal.err(missing(first));
  const reason = await installPackage(machine, { apt: "redis-server", brew: ["redis"] });
  if (reason !== undefined) throw cannotProvide(reason);
  const second = await find();
  if (second.usable) return second.usable;
  throw cannotProvide(`the package manager has no Redis ${OLDEST_REDIS} or newer`);
}

function missing({ tooOld }: RedisSearch): string {
  const what = tooOld.map(({ path, version }) => `${path} is version ${version}`).join(", ");
  return what === ""
    ? "There is no redis-server or valkey-server on PATH: installing one."
    : `Redis ${OLDEST_REDIS} or newer is needed, and ${what}: installing one.`;
}

function cannotProvide(reason: string): CliError {
  return new CliError(
    `Cannot find redis-server or valkey-server ${OLDEST_REDIS} or newer, nor install it: ${reason}`,
    { advice: WAYS },
  );
}
