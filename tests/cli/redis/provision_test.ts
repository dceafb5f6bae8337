import assert from "node:assert/strict";
import { CliError } from "../../../lib/cli/cli_error.ts";
import type { Machine } from "../../../lib/cli/redis/machine.ts";
import { provideRedis } from "../../../lib/cli/redis/provision.ts";
import type { RedisSearch } from "../../../lib/cli/redis/redis_binary.ts";
import { MemoryTerminal } from "../memory_terminal.ts";

const SERVER = { path: "/usr/bin/redis-server", version: "7.0.15" };
const FOUND: RedisSearch = { usable: SERVER, tooOld: [] };
const NONE: RedisSearch = { usable: undefined, tooOld: [] };

interface Scene {
  readonly os?: string;
  readonly isRoot?: boolean;
  /** Commands that work, by how they begin. */
  readonly works: readonly string[];
  /** Commands that fail the first time they are run. */
  readonly failsOnce?: readonly string[];
}

/** A machine on which a Redis appears once something that was run says "install redis" and works. */
function machineOf({ os = "linux", isRoot = false, works, failsOnce = [] }: Scene) {
  const ran: string[] = [];
  let installed = false;
  const succeeds = (command: readonly string[]) => {
    const text = command.join(" ");
    const first = !ran.includes(text);
    const fails = first && failsOnce.some((start) => text.startsWith(start));
    return works.some((start) => text.startsWith(start)) && !fails;
  };
  const machine: Machine = {
    os,
    isRoot,
    succeeds: (command) => Promise.resolve(succeeds(command)),
    run(command) {
      const success = succeeds(command);
      ran.push(command.join(" "));
      if (success && /install .*redis/.test(command.join(" "))) installed = true;
      return Promise.resolve(success);
    },
  };
  return { machine, ran, find: () => Promise.resolve(installed ? FOUND : NONE) };
}

const APT = "env DEBIAN_FRONTEND=noninteractive apt-get";
const INSTALL = `${APT} install -y --no-install-recommends redis-server`;

Deno.test("provideRedis() runs nothing where there is a Redis", async () => {
  const { machine, ran } = machineOf({ works: [] });
  const terminal = new MemoryTerminal();
  const binary = await provideRedis({ machine, terminal, find: () => Promise.resolve(FOUND) });
  assert.deepEqual([binary, ran, terminal.stderr], [SERVER, [], ""]);
});

Deno.test("provideRedis() installs it in the way of the machine", async (t) => {
  const ways: Record<string, { scene: Scene; expected: string[] }> = {
    "by apt as root": {
      scene: { isRoot: true, works: ["apt-get", "apt-cache", "env"] },
      expected: [INSTALL],
    },
    "by apt with password-less sudo": {
      scene: { works: ["apt-get", "apt-cache", "sudo -n"] },
      expected: [`sudo -n ${INSTALL}`],
    },
    "after an update where the package is not known": {
      scene: { isRoot: true, works: ["apt-get", "env"] },
      expected: [`${APT} update`, INSTALL],
    },
    "after an update where the package lists are stale": {
      scene: { isRoot: true, works: ["apt-get", "apt-cache", "env"], failsOnce: [INSTALL] },
      expected: [INSTALL, `${APT} update`, INSTALL],
    },
    "by Homebrew": {
      scene: { os: "darwin", works: ["brew"] },
      expected: ["brew install redis"],
    },
  };
  for (const [name, { scene, expected }] of Object.entries(ways)) {
    await t.step(name, async () => {
      const { machine, ran, find } = machineOf(scene);
      const terminal = new MemoryTerminal();
      assert.equal(await provideRedis({ machine, terminal, find }), SERVER);
      assert.deepEqual(ran, expected);
      assert.match(terminal.stderr, /no redis-server or valkey-server on PATH/);
    });
  }
});

Deno.test("provideRedis() lists the ways where it cannot install it", async (t) => {
  const cases: Record<string, { scene: Scene; reason: RegExp }> = {
    "without apt": { scene: { works: [] }, reason: /no apt-get/ },
    "without root or sudo": { scene: { works: ["apt-get"] }, reason: /needs root/ },
    "without Homebrew": { scene: { os: "darwin", works: [] }, reason: /no Homebrew/ },
    "where the update fails": {
      scene: { isRoot: true, works: ["apt-get"] },
      reason: /apt-get update failed/,
    },
    "on another system": { scene: { os: "freebsd", works: [] }, reason: /freebsd/ },
  };
  for (const [name, { scene, reason }] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { machine, find } = machineOf(scene);
      await assert.rejects(
        provideRedis({ machine, terminal: new MemoryTerminal(), find }),
        (error: unknown) => {
          assert.ok(error instanceof CliError);
          assert.match(error.message, reason);
          const advice = error.advice.join("\n");
          for (const way of ["apt-get install", "docker compose up -d redis", "REDIS_URL="]) {
            assert.ok(advice.includes(way), way);
          }
          return true;
        },
      );
    });
  }
});

Deno.test("provideRedis() says which Redis is too old", async () => {
  const old: RedisSearch = { usable: undefined, tooOld: [{ path: "/bin/r", version: "6.0.16" }] };
  const { machine } = machineOf({ isRoot: true, works: ["apt-get", "apt-cache", "env"] });
  const terminal = new MemoryTerminal();
  const find = () => Promise.resolve(old);
  await assert.rejects(provideRedis({ machine, terminal, find }), /has no Redis 7 or newer/);
  assert.match(terminal.stderr, /\/bin\/r is version 6\.0\.16/);
});
